import { accountId, exchange, istDay, mode, storedText, subscription } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { pinnedElsewhere } from '../auth/pins.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, pageOf, pageQuery } from '../http/pagination.ts'

export const subscriptionQuery = pageQuery.extend({
  exchange: exchange.optional(),
  source: storedText(64).optional(),
  mode: mode.optional(),
  account_id: accountId.optional().meta({ description: 'Pinned to this account' }),
})
export type SubscriptionQuery = z.output<typeof subscriptionQuery>

export async function listSubscriptions(call: Call, query: SubscriptionQuery) {
  const after = decodeCursor(query.cursor, z.tuple([cursorText, cursorText, cursorText]))
  const conditions: SQL[] = [sql`s.owner = ${call.actor.owner}`, sql`not (${pinnedElsewhere(call.actor)})`]
  if (query.exchange) conditions.push(sql`s.exchange = ${query.exchange}`)
  if (query.source) conditions.push(sql`s.source = ${query.source}`)
  if (query.mode) conditions.push(sql`s.mode = ${query.mode}`)
  if (query.account_id) conditions.push(sql`s.account_id = ${query.account_id}`)
  if (after) {
    conditions.push(sql`(s.exchange, s.tradingsymbol, s.source) > (${after[0]}, ${after[1]}, ${after[2]})`)
  }
  const rows = await call.deps.db.rows(
    z.object({ subscription }),
    sql`select jsonb_build_object(
        'exchange', s.exchange, 'tradingsymbol', s.tradingsymbol, 'instrument_token', case when i.is_active then i.instrument_token end,
        'contract', case when i.expiry < ${istDay(call.deps.clock.nowMs())}::date then 'expired'
          when i.is_active then 'listed' else 'gone' end,
        'mode', s.mode, 'source', s.source, 'account_id', s.account_id,
        'created_at', ${iso(sql`s.created_at`)}, 'updated_at', ${iso(sql`s.updated_at`)}) as subscription
      from ticker.subscriptions s
      left join ticker.instruments i
        on i.exchange = s.exchange and i.tradingsymbol = s.tradingsymbol
      where ${sql.join(conditions, sql` and `)}
      order by s.exchange, s.tradingsymbol, s.source limit ${query.limit + 1}`,
  )
  return pageOf(
    rows.map((row) => row.subscription),
    query.limit,
    (row) => [row.exchange, row.tradingsymbol, row.source],
  )
}
