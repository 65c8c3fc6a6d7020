// Programs that npm has no package for (Redis, Chromium, faketime): from PATH, else from Debian where that is possible.
import { execFile } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export interface DebianProgram {
  /** Executable names, best first. */
  executables: string[]
  debianPackage: string
}

export const REDIS: DebianProgram = {
  executables: ['redis-server', 'valkey-server'],
  debianPackage: 'redis-server',
}
export const CHROMIUM: DebianProgram = {
  executables: ['chromium', 'chromium-browser', 'google-chrome'],
  debianPackage: 'chromium',
}
export const FAKETIME: DebianProgram = { executables: ['faketime'], debianPackage: 'faketime' }

/** The program's path; installs it with apt-get when it is missing and that can be done without asking. */
export async function ensureProgram(program: DebianProgram, report: (line: string) => void): Promise<string> {
  const present = findProgram(program)
  if (present) return present
  const [name] = program.executables
  if (process.getuid?.() !== 0 || !findExecutable('apt-get')) {
    throw new Error(
      `${name} is not on PATH. Install it (Debian: sudo apt-get install ${program.debianPackage}).`,
    )
  }
  report(`${name} is not installed; installing Debian's ${program.debianPackage}`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  await run('apt-get', ['update', '-q'], { env, maxBuffer: 1e8 })
  const options = ['-o', 'Dpkg::Options::=--force-confold', '--no-install-recommends', '-y', '-q']
  await run('apt-get', ['install', ...options, program.debianPackage], { env, maxBuffer: 1e8 })
  const installed = findProgram(program)
  if (!installed) throw new Error(`${program.debianPackage} was installed but ${name} is still not on PATH.`)
  return installed
}

export function findProgram(program: DebianProgram): string | undefined {
  return program.executables.map(findExecutable).find((path) => path !== undefined)
}

function findExecutable(name: string): string | undefined {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // not in this folder
    }
  }
  return undefined
}
