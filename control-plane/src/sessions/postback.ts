// The broker's order postback: a hint that an order changed. Its checksum covers two fields only, so nothing of it
// is believed beyond "look at this order" (KITE.md 4).
import { equalConstantTime, sha256Hex, unseal } from '@ticker/shared/crypto'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LISTENERS, nudgeList } from '../accounts/rows.ts'
import { auditInsert } from '../auth/audit.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'

export const postback = z
  .looseObject({
    order_id: z.string().min(1).max(64),
    order_timestamp: z.string().max(64),
    checksum: z.string().max(128),
  })
  .meta({ id: 'Postback' })
export type Postback = z.output<typeof postback>

export async function receivePostback(
  call: Call<undefined>,
  accountId: string,
  received: Postback,
  address: string,
): Promise<Outcome<{ received: true }>> {
  const { config, db, commandChannel, rateLimit } = call.deps
  const [account] = await db.rows(
    z.object({ api_secret: z.string() }),
    sql`select api_secret from ticker.accounts where id = ${accountId}`,
  )
  if (!account) return refused('account_not_found')
  const apiSecret = await unseal(config.credentialKeys, accountId, 'api_secret', account.api_secret)
  const expected = await sha256Hex(received.order_id + received.order_timestamp + apiSecret.reveal())
  const auditor = { kind: 'broker', account_id: accountId } as const
  if (!equalConstantTime(expected, received.checksum)) {
    const { success } = await rateLimit.limit({ key: address })
    if (!success) return refused('rate_limited', { retryAfterS: 60 })
    await db.rows(
      z.unknown(),
      auditInsert({
        auditor,
        action: 'postback.receive',
        subject: accountId,
        outcome: 'denied',
        requestId: call.requestId,
        detail: { reason: 'checksum', address },
      }),
    )
    return refused('postback_forged')
  }
  const [row] = await db.rows(
    z.object({ nudge: nudgeList }),
    sql`with hint as (
        insert into ticker.postback_hints (account_id, order_id) values (${accountId}, ${received.order_id})
        on conflict (account_id, order_id) do update set received_at = now()
        returning account_id
      ), audited as (${auditInsert(
        {
          auditor,
          action: 'api_secret.read',
          subject: accountId,
          outcome: 'allowed',
          requestId: call.requestId,
          detail: { purpose: 'postback checksum' },
        },
        sql`hint`,
      )})
      select ${LISTENERS} as nudge from hint join ticker.accounts a on a.id = hint.account_id`,
  )
  if (row) call.defer(commandChannel.nudge({ account_id: accountId }, row.nudge))
  return done({ received: true })
}
