// What has to be known, and allowed, before such a write is claimed: what the broker shows right before it (the measure of what
// is in doubt later), the risk gate for a GTT's orders, the side of the market its triggers are on.
import { GTTS_ACTIVE_MAX, storedGtt } from '@ticker/shared/domain'
import { heldOf } from '../conversions/conversion-end.ts'
import type { GttReader } from '../gtts/gtt-reader.ts'
import { crossedTrigger, gttRefusal } from '../gtts/gtt-risk.ts'
import type { OrderAccount } from '../orders/deps.ts'
import type { AccountWritesDeps, NetPositions } from './deps.ts'
import type { AccountWrite } from './write-store.ts'

export type Prepared =
  | { kind: 'ready'; before: unknown }
  | { kind: 'refused'; code: string; reason: string }
  /** The broker cannot be read now: it waits, to its deadline. */
  | { kind: 'later' }

export function createPrepare(deps: AccountWritesDeps, reader: GttReader) {
  return async (
    write: AccountWrite,
    account: OrderAccount,
    positions: () => Promise<NetPositions | undefined>,
  ): Promise<Prepared> => {
    if (write.kind === 'gtt_delete') return { kind: 'ready', before: null }
    if (write.kind === 'convert') {
      const net = await positions()
      return net ? { kind: 'ready', before: heldOf(write, net) } : { kind: 'later' }
    }
    const stated = storedGtt.parse(write.request)
    const crossed = crossedTrigger(stated, await deps.lastPrice(account.owner, stated))
    if (crossed !== undefined) {
      const reason = `The market has passed ${crossed} since last_price ${stated.last_price}: it would fire at once.`
      return { kind: 'refused', code: 'gtt_trigger_passed', reason }
    }
    const refusal = await gttRefusal(deps.risk, account, stated)
    if (refusal) return { kind: 'refused', ...refusal }
    if (write.kind === 'gtt_modify') return { kind: 'ready', before: null }
    const list = await reader.read(account)
    if (!list?.whole) return { kind: 'later' }
    const active = list.gtts.filter(({ status }) => status === 'active').length
    if (active >= GTTS_ACTIVE_MAX) {
      const reason = `The account has ${active} active GTTs; the broker allows ${GTTS_ACTIVE_MAX}.`
      return { kind: 'refused', code: 'gtt_limit', reason }
    }
    return { kind: 'ready', before: { trigger_ids: list.gtts.map(({ id }) => id) } }
  }
}
