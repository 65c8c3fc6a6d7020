import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { buildConsole } from '../local/build-console.ts'
import { ROOT } from '../local/child.ts'
import type { Row } from './measure.ts'

const run = promisify(execFile)

/** What `wrangler deploy` would upload, compressed. */
export async function workerSize(): Promise<Row[]> {
  await buildConsole(ROOT, () => {})
  const folder = await mkdtemp(join(tmpdir(), 'ticker-worker-'))
  try {
    const env = { ...process.env, WRANGLER_SEND_METRICS: 'false' }
    await run(join(ROOT, 'node_modules/.bin/wrangler'), ['deploy', '--dry-run', '--outdir', folder], {
      cwd: ROOT,
      env,
    })
    let bytes = 0
    for (const name of await readdir(folder)) {
      if (/\.m?js$/.test(name)) bytes += gzipSync(await readFile(join(folder, name))).length
    }
    return [{ what: 'Worker bundle, gzip', value: `${(bytes / 1024).toFixed(0)} KiB`, target: '< 400 kB' }]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
