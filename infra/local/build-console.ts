// The console's files are the Worker's assets: built when they are missing or older than their sources.
import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export async function buildConsole(root: string, report: (line: string) => void): Promise<void> {
  const folder = join(root, 'control-plane/console')
  const builtMs = await stat(join(folder, 'dist/index.html')).then(
    (found) => found.mtimeMs,
    () => 0,
  )
  if (builtMs > (await newestMs(folder))) return
  report('building the console …')
  // A test runner's NODE_ENV would put React's development build into the files that stay here.
  const env = { ...process.env, NODE_ENV: 'production' }
  await run(join(root, 'node_modules/.bin/vite'), ['build', folder, '--logLevel', 'warn'], { cwd: root, env })
}

async function newestMs(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true })
  const times = await Promise.all(
    entries
      .filter((entry) => entry.name !== 'dist' && entry.name !== 'node_modules')
      .map((entry) => {
        const path = join(folder, entry.name)
        return entry.isDirectory() ? newestMs(path) : stat(path).then((found) => found.mtimeMs)
      }),
  )
  return Math.max(0, ...times)
}
