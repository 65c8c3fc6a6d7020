// The package managers this process was started through (npx → sh → pnpm → node). When one of them is killed nobody is
// left to stop the system with; it is then stopped in order. What is above them - a shell, a script, setsid - may end as
// it likes: that is how a system is left running on purpose.
import { basename } from 'node:path'
import { findProcess, type RunningProcess, stillRuns } from './processes.ts'

const MANAGERS = new Set(['npx', 'npm', 'pnpm', 'pnpx', 'corepack'])
const SHELLS = new Set(['sh', 'bash', 'dash'])
/** Far more than there are between a package manager and what it runs. */
const ANCESTORS_MAX = 16

/** From the nearest to the outermost package manager, with the shells between them. */
export function launchersOf(
  pid: number,
  find: (pid: number) => RunningProcess | undefined = findProcess,
): RunningProcess[] {
  const chain: RunningProcess[] = []
  let managers = 0
  let next = find(find(pid)?.parent ?? 0)
  while (next && chain.length < ANCESTORS_MAX && (isManager(next) || isShell(next))) {
    chain.push(next)
    if (isManager(next)) managers = chain.length
    next = find(next.parent)
  }
  return chain.slice(0, managers)
}

/** Calls `onGone` once when one of them has ended. */
export function watchLaunchers(
  launchers: readonly RunningProcess[],
  everyMs: number,
  onGone: () => void,
): void {
  if (launchers.length === 0) return
  const timer = setInterval(() => {
    if (launchers.every(stillRuns)) return
    clearInterval(timer)
    onGone()
  }, everyMs)
  timer.unref()
}

/** `npm exec pnpm dev` (a title), `pnpm dev`, `node /usr/bin/npx pnpm dev`. */
function isManager({ command: [program = '', script = ''] }: RunningProcess): boolean {
  const first = nameOf(program.split(' ')[0] ?? '')
  return MANAGERS.has(first) || (first === 'node' && MANAGERS.has(nameOf(script)))
}

function isShell({ command: [program = ''] }: RunningProcess): boolean {
  return SHELLS.has(nameOf(program))
}

function nameOf(path: string): string {
  return basename(path).replace(/(-cli)?\.[cm]?js$/, '')
}
