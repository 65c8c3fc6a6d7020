import type { TickSource } from '../market-data/runtime.ts'
import type { InstrumentState } from './messages.ts'

/** What a client of this owner is told about an instrument. Liveness is that of the broker socket that serves it. */
export function instrumentState(
  source: Pick<TickSource, 'desired' | 'serving' | 'store'>,
  owner: string,
  token: number,
): InstrumentState {
  if (!source.desired.ownerStreams(owner, token)) return 'not_subscribed'
  if (source.store.slotOf(token) < 0) return 'waiting'
  return source.serving(token) === 'live' ? 'live' : 'stale'
}
