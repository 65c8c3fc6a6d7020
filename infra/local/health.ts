// Whether a part that runs still answers. Slow is not dead: only several failures in a row count, each of them after a
// wait that a loaded machine, a long garbage collection or a suspended laptop does not reach three times running.

export interface HealthBounds {
  /** From one answer to the next question. */
  everyMs: number
  /** How long an answer may take. */
  timeoutMs: number
  /** So many failures in a row are an end. */
  failuresMax: number
}

export const HEALTH: HealthBounds = { everyMs: 2_000, timeoutMs: 5_000, failuresMax: 3 }

/** True when it is well. May ignore the signal: nobody waits for the answer after that. */
export type Probe = (signal: AbortSignal) => Promise<boolean>

/** Undefined when it answers in time, else why not. */
export async function probeOnce(probe: Probe, timeoutMs: number): Promise<string | undefined> {
  const abort = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`no answer within ${timeoutMs / 1000} s`), timeoutMs)
  })
  const asked = probe(abort.signal).then((well) => (well ? undefined : 'not well'), reasonOf)
  try {
    return await Promise.race([asked, late])
  } finally {
    clearTimeout(timer)
    abort.abort()
  }
}

/** Asks until it has failed too often, calls `onFailed` once with the last reason, and ends. Returns what ends it before. */
export function watchHealth(
  probe: Probe,
  bounds: HealthBounds,
  onFailed: (reason: string) => void,
): () => void {
  let watching = true
  let failures = 0
  let timer: NodeJS.Timeout
  const later = () => {
    timer = setTimeout(() => void look(), bounds.everyMs).unref()
  }
  async function look(): Promise<void> {
    const reason = await probeOnce(probe, bounds.timeoutMs)
    if (!watching) return
    failures = reason === undefined ? 0 : failures + 1
    if (reason === undefined || failures < bounds.failuresMax) return later()
    watching = false
    onFailed(reason)
  }
  later()
  return () => {
    watching = false
    clearTimeout(timer)
  }
}

/** `fetch failed` says nothing; its cause does. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message
}
