import type { Held } from '../market-data/interest/held.ts'
import type { TickSource } from '../market-data/runtime.ts'
import type { InstrumentState, NotSubscribedReason } from './messages.ts'

/** What a client is told about an instrument it holds. Liveness is that of the broker socket that serves it. */
export function instrumentState(
  source: Pick<TickSource, 'serving' | 'store'>,
  held: Held,
): { state: InstrumentState; reason: NotSubscribedReason | undefined } {
  const reason = reasonOf(held)
  if (reason) return { state: 'not_subscribed', reason }
  // Until it is placed, ticks of it are another owner's.
  if (held.standing === 'undecided' || source.store.slotOf(held.token) < 0)
    return { state: 'waiting', reason }
  return { state: source.serving(held.token) === 'live' ? 'live' : 'stale', reason }
}

/** Why nothing streams it for its owner; undefined: something does, or that is not decided yet. */
export function reasonOf({ standing }: Held): NotSubscribedReason | undefined {
  return standing === 'streams' || standing === 'undecided' ? undefined : standing
}
