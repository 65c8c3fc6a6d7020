import { accountId, exchange, mode, storedText, subscription } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
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
  const conditions: SQL[] = [sql`w.owner = ${call.actor.owner}`]
  if (query.exchange) conditions.push(sql`w.exchange = ${query.exchange}`)
  if (query.source) conditions.push(sql`w.source = ${query.source}`)
  if (query.mode) conditions.push(sql`w.mode = ${query.mode}`)
  if (query.account_id) conditions.push(sql`w.account_id = ${query.account_id}`)
  if (after) {
    conditions.push(sql`(w.exchange, w.tradingsymbol, w.source) > (${after[0]}, ${after[1]}, ${after[2]})`)
  }
  const rows = await call.deps.db.rows(
    z.object({ subscription }),
    sql`select jsonb_build_object(
        'exchange', w.exchange, 'tradingsymbol', w.tradingsymbol, 'instrument_token', i.instrument_token,
        'mode', w.mode, 'source', w.source, 'account_id', w.account_id,
        'created_at', ${iso(sql`w.created_at`)}, 'updated_at', ${iso(sql`w.updated_at`)}) as subscription
      from ticker.subscriptions w
      left join ticker.instruments i
        on i.exchange = w.exchange and i.tradingsymbol = w.tradingsymbol and i.is_active
      where ${sql.join(conditions, sql` and `)}
      order by w.exchange, w.tradingsymbol, w.source limit ${query.limit + 1}`,
  )
  return pageOf(
    rows.map((row) => row.subscription),
    query.limit,
    (row) => [row.exchange, row.tradingsymbol, row.source],
  )
}
