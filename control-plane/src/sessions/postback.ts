// The broker's order postback: a hint that an order changed. Its checksum covers two fields only, so nothing of it
// is believed beyond "look at this order" (KITE.md 4).
import { equalConstantTime, randomToken, sha256Hex, unseal } from '@ticker/shared/crypto'
import { storedText } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LISTENERS, nudgeList } from '../accounts/rows.ts'
import { auditInsert } from '../auth/audit.ts'
import type { BlockedAddresses } from '../auth/blocked-addresses.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'

export const postback = z
  .looseObject({
    order_id: storedText(64, 1),
    order_timestamp: storedText(64),
    checksum: storedText(128),
  })
  .meta({ id: 'Postback' })
export type Postback = z.output<typeof postback>

/** The same answer, as slowly, whether there is no such account or the checksum is another's. */
export async function receivePostback(
  call: Call<undefined>,
  accountId: string,
  received: Postback,
  address: string,
  blocked: BlockedAddresses,
): Promise<Outcome<{ received: true }>> {
  const { config, db, commandChannel } = call.deps
  const [account] = await db.rows(
    z.object({ api_secret: z.string() }),
    sql`select api_secret from ticker.accounts where id = ${accountId} and status <> 'deleted'`,
  )
  const apiSecret =
    account && (await unseal(config.credentialKeys, accountId, 'api_secret', account.api_secret))
  const expected = await sha256Hex(
    received.order_id + received.order_timestamp + (apiSecret?.reveal() ?? randomToken()),
  )
  const auditor = { kind: 'broker', account_id: accountId } as const
  const secretRead = {
    ...{ auditor, action: 'api_secret.read', subject: accountId, requestId: call.requestId },
    ...{ outcome: 'allowed' as const, detail: { purpose: 'postback checksum' } },
  }
  if (!equalConstantTime(expected, received.checksum)) {
    // Counted apart from failures of keys, and never held against what is genuine: the broker's addresses are shared.
    await blocked.failed(`postback ${address}`)
    await db.rows(
      z.unknown(),
      sql`with secret_read as (${auditInsert(secretRead, sql`(select where ${account !== undefined}::boolean) as known`)})
        ${auditInsert({
          auditor,
          action: 'postback.receive',
          subject: accountId,
          outcome: 'denied',
          requestId: call.requestId,
          detail: { reason: account ? 'checksum' : 'no such account', address },
        })}`,
    )
    return refused('postback_forged')
  }
  const [row] = await db.rows(
    z.object({ nudge: nudgeList }),
    sql`with hint as (
        insert into ticker.postback_hints (account_id, order_id) values (${accountId}, ${received.order_id})
        on conflict (account_id, order_id) do update set received_at = now()
        returning account_id
      ), audited as (${auditInsert(secretRead, sql`hint`)})
      select ${LISTENERS} as nudge from hint join ticker.accounts a on a.id = hint.account_id`,
  )
  if (row) call.defer(commandChannel.nudge({ account_id: accountId }, row.nudge))
  return done({ received: true })
}
