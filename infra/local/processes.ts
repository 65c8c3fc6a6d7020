// Other processes, as /proc shows them.
import { readdirSync, readFileSync } from 'node:fs'

export interface RunningProcess {
  pid: number
  parent: number
  /** When it started, in ticks since boot: with the pid it names one process for good, a pid alone is used again. */
  started: string
  /** Its command line. */
  command: string[]
}

/** Undefined when there is none, or it has ended and only waits to be reaped. */
export function findProcess(pid: number): RunningProcess | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    // The name before it is in brackets and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state, parent, started] = [fields[0], fields[1], fields[19]]
    if (state === 'Z' || parent === undefined || started === undefined) return undefined
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean)
    return { pid, parent: Number(parent), started, command }
  } catch {
    return undefined
  }
}

export function stillRuns({ pid, started }: Pick<RunningProcess, 'pid' | 'started'>): boolean {
  return findProcess(pid)?.started === started
}

/** Its children, theirs, and so on. */
export function descendantsOf(pid: number): RunningProcess[] {
  const all = readdirSync('/proc').flatMap((name) =>
    /^\d+$/.test(name) ? (findProcess(Number(name)) ?? []) : [],
  )
  const below = (parent: number): RunningProcess[] =>
    all.filter((each) => each.parent === parent).flatMap((each) => [each, ...below(each.pid)])
  return below(pid)
}

/** With SIGKILL, unless its pid is another's by now. */
export function endProcess(running: RunningProcess): void {
  try {
    if (stillRuns(running)) process.kill(running.pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
