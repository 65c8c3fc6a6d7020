// Waits until a range is known, having it fetched; for as long as one request may last.
import type { HistoryLoad } from '@ticker/shared/domain'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { askLoad, type Coverage, readCoverage, type Wanted } from './coverage.ts'
import { getLoad } from './loads.ts'

export interface Ensured {
  coverage: Coverage
  /** What fetches the rest. */
  load: HistoryLoad | undefined
  /** Nothing was missing when it was asked for. */
  isKept: boolean
}

const POLL_MS_FIRST = 100
const POLL_MS_MAX = 500
/** A load that ended with candles missing that have ended since is not asked for again and again in one request. */
const ASKS_MAX = 2

export async function ensure(call: Call, wanted: Wanted, deadlineMs: number): Promise<Outcome<Ensured>> {
  const { clock } = call.deps
  const first = await readCoverage(call, wanted)
  if (!first.ok) return first
  let coverage = first.value
  let load: HistoryLoad | undefined
  let asks = 0
  let pauseMs = POLL_MS_FIRST
  while (coverage.first_missing !== null) {
    if (load === undefined) {
      if (asks === ASKS_MAX) break
      asks += 1
      const asked = await askLoad(call, wanted)
      if (!asked.ok) return asked
      load = asked.value
    }
    const leftMs = deadlineMs - clock.nowMs()
    if (leftMs <= 0 || call.signal.aborted) break
    await clock.sleep(Math.min(pauseMs, leftMs), call.signal)
    pauseMs = Math.min(pauseMs * 2, POLL_MS_MAX)
    const now = await getLoad(call, load.id)
    if (!now.ok) return now
    load = now.value
    const read = await readCoverage(call, wanted)
    if (!read.ok) return read
    coverage = read.value
    if (coverage.first_missing === null) break
    if (load.state === 'failed' && load.reason)
      return refused(load.reason.code, { detail: failureDetail(load, load.reason.detail) })
    if (load.state === 'cancelled') break
    if (load.state === 'done') load = undefined
  }
  return done({ coverage, load: coverage.first_missing === null ? undefined : load, isKept: asks === 0 })
}

function failureDetail({ instrument, interval, days }: HistoryLoad, words: string): string {
  return `${instrument} ${interval}: ${words} (${days.loaded} of ${days.total} days are known)`
}
