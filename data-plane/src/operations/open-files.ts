// Whether the process may open as many files as its bounds promise; a connection is one. Too few is said and no more:
// a desk with ten clients is well served by 1,024, and whoever wants 5,000 finds the reason in the log and in the
// metrics `process_max_fds` and `process_open_fds`.
import { readFileSync } from 'node:fs'
import type { Log } from './log.ts'

/** Databases, Redis, broker sockets, the private port, the runtime's own. */
const OTHER_FILES = 250

/** The soft limit (`ulimit -n`), which Node raises to the hard one as it starts. undefined: unlimited, or not known. */
export function openFilesMax(
  readLimits = () => readFileSync('/proc/self/limits', 'utf8'),
): number | undefined {
  try {
    const [, soft] = /^Max open files\s+(\d+)/m.exec(readLimits()) ?? []
    return soft === undefined ? undefined : Number(soft)
  } catch {
    return undefined
  }
}

export function checkOpenFiles(log: Log, connectionsMax: number, max = openFilesMax()) {
  const needed = connectionsMax + OTHER_FILES
  if (max !== undefined && max < needed)
    log.warn(
      { open_files_max: max, needed },
      'too few open files for every client it may have: raise ulimit -n',
    )
}
