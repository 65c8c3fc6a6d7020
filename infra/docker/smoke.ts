// The container's check without an engine: the bundle alone, in an empty folder and environment, must start, say
// what is missing, and end; and the Dockerfile must lint and give Node the memory settings that all is measured with.
import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { MALLOC_ENV, NODE_FLAGS } from './memory-settings.ts'

const run = promisify(execFile)
const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const linter = createRequire(import.meta.url).resolve('dockerfilelint/bin/dockerfilelint')

const folder = await mkdtemp(join(tmpdir(), 'ticker-image-'))
try {
  await cp(join(ROOT, 'dist/data-plane'), folder, { recursive: true })
  const said = await run(process.execPath, [...NODE_FLAGS, 'main.js', 'serve'], {
    cwd: folder,
    env: MALLOC_ENV,
  }).then(
    () => 'it started without configuration',
    (error: unknown) => (error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)),
  )
  if (!said.includes('REALM is not set') || !said.includes('DATABASE_DIRECT_URL'))
    throw new Error(`the bundle said: ${said}`)
  const dockerfile = join(ROOT, 'infra/docker/data-plane.Dockerfile')
  const flags = NODE_FLAGS.map((flag) => `"${flag}"`).join(', ')
  const image = await readFile(dockerfile, 'utf8')
  if (!image.includes(`CMD ["node", ${flags}, `))
    throw new Error(`the Dockerfile's CMD does not start node with ${flags}`)
  for (const [name, value] of Object.entries(MALLOC_ENV))
    if (!image.includes(`    ${name}=${value}`))
      throw new Error(`the Dockerfile does not set ${name}=${value}`)
  const lint = await run(process.execPath, [linter, dockerfile])
  if (!/Issues:\s*(None|0)/.test(lint.stdout)) throw new Error(lint.stdout)
  console.log('The bundle starts by itself and names what it needs; the Dockerfile lints.')
} finally {
  await rm(folder, { recursive: true, force: true })
}
