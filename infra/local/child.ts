// What all parts that run as a process have in common.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SystemOptions } from './system.ts'

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
export const BINARIES = join(ROOT, 'node_modules', '.bin')

/** Programs of this checkout come first; nothing that configures a part leaks in from the caller's shell. */
export function childEnv({ partEnv }: Pick<SystemOptions, 'partEnv'>): Record<string, string | undefined> {
  const { HOME, LANG, TMPDIR, PATH } = process.env
  return { HOME, LANG, TMPDIR, PATH: `${BINARIES}:${PATH ?? ''}`, ...partEnv }
}

export function common({ report, restartAfterMs, signal }: SystemOptions) {
  return {
    cwd: ROOT,
    readyTimeoutMs: 60_000,
    report,
    ...(signal && { signal }),
    ...(restartAfterMs !== undefined && { restartAfterMs }),
  }
}
