// The kill switch's part for GTTs: an active one places orders after the halt, so each is deleted, whoever placed it, a stop-loss
// too. Without database and lease, as the sweep of orders.
import { describeFailure, type GttList, type KiteOutcome } from '@ticker/shared/kite-http'
import type { WriteMetrics } from '../account-writes/metrics.ts'
import { deleteRequest } from '../account-writes/write-request.ts'
import { writeVerdictOf } from '../account-writes/write-verdict.ts'
import type { Log } from '../operations/log.ts'
import type { OrderAccount } from '../orders/deps.ts'
import type { OrderLineFactory } from '../orders/order-line.ts'
import { type BrokerSession, credentialsOf } from '../ownership/owned-account.ts'

/** How many are active yet, those that it has just deleted among them; undefined: the list cannot be read. */
export type SweepGtts = (account: OrderAccount, signal: AbortSignal) => Promise<number | undefined>

export function createGttSweep(deps: {
  log: Log
  metrics: Pick<WriteMetrics, 'swept'>
  connect: OrderLineFactory
  turn(accountId: string): Promise<boolean>
  read(account: OrderAccount, session: BrokerSession): Promise<KiteOutcome<GttList>>
}): SweepGtts {
  const { metrics, log } = deps
  return async (account, signal) => {
    const { session, accountId } = account
    if (!session) return undefined
    const outcome = await deps.read(account, session)
    if (!outcome.ok || outcome.data.unreadable > 0) {
      const reason = outcome.ok ? 'rows of unknown shape' : describeFailure(outcome.failure)
      log.error({ account_id: accountId, reason }, 'kill switch: the list of GTTs cannot be read')
      if (!outcome.ok) return undefined
    }
    const active = outcome.data.gtts.filter(({ status }) => status === 'active')
    for (const { id } of active) {
      if (signal.aborted) break
      // A turn that does not come is no reason to leave it: one request too many is answered 429, and it is asked again.
      await deps.turn(accountId)
      const opened = await deps.connect(session.root)
      if (!opened.ok) break
      const sent = await opened.line.send(deleteRequest(id), credentialsOf(account, session), () => true)
      metrics.swept.inc({ verdict: writeVerdictOf('gtt_delete', sent).state })
    }
    return active.length + outcome.data.unreadable
  }
}
