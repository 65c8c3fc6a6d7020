// The wall clock of every part of the system, databases included, moved by an offset in a file: a trading day in a
// minute. Clocks that only run (timers, timeouts) go on as they are. By libfaketime, which each part loads.
import { globSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureProgram, FAKETIME } from './debian-package.ts'

export interface MovedClock {
  /** For the environment of each part. */
  env: Record<string, string>
  /** From now on, and going on from there. */
  moveTo(epochMs: number): Promise<void>
}

export async function createMovedClock(
  folder: string,
  epochMs: number,
  report: (line: string) => void,
): Promise<MovedClock> {
  await ensureProgram(FAKETIME, report)
  const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
  if (!library) throw new Error('libfaketimeMT.so.1 of the package faketime is not under /usr/lib')
  const file = join(folder, 'clock-offset')
  const moveTo = (toMs: number) => {
    const offsetS = Math.round((toMs - Date.now()) / 1000)
    return writeFile(file, `${offsetS < 0 ? '' : '+'}${offsetS}\n`)
  }
  await moveTo(epochMs)
  return {
    moveTo,
    env: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      // Each look at the clock looks at the file: PostgreSQL has many processes, and none may lag behind.
      FAKETIME_NO_CACHE: '1',
    },
  }
}
