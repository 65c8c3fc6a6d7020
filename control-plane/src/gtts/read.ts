// The broker's GTTs as its list last showed them, whoever placed them, with the orders that they became.
import { accountId, GTT_STATUSES, type Gtt, gtt } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { visibleTo } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, pageOf, pageQuery } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { BROKER_ORDER_FIELDS } from '../orders/rows.ts'

export const gttQuery = pageQuery.extend({
  account_id: accountId.optional(),
  status: z.enum(GTT_STATUSES).optional(),
})

/** Also the broker's own row, for clients that speak as the broker does. */
export const gttRow = z.object({ gtt, broker_gtt: z.record(z.string(), z.unknown()) })

const said = (field: string) => sql.raw(`g.broker_gtt->${field}`)

function gttJson(synthetic: boolean): SQL {
  const result = sql`o.value->'result'->'order_result'`
  return sql`jsonb_build_object('id', g.trigger_id, 'account_id', g.account_id, 'status', g.status, 'type', ${said(`'type'`)},
    'exchange', ${said(`'condition'->'exchange'`)}, 'tradingsymbol', ${said(`'condition'->'tradingsymbol'`)},
    'last_price', ${said(`'condition'->'last_price'`)}, 'trigger_values', ${said(`'condition'->'trigger_values'`)},
    'orders', (select jsonb_agg(jsonb_build_object('transaction_type', o.value->'transaction_type', 'quantity', o.value->'quantity',
        'product', o.value->'product', 'price', o.value->'price',
        'result', case when jsonb_typeof(${result}) = 'object' then jsonb_build_object('status', ${result}->>'status',
          'order_id', nullif(${result}->>'order_id', ''), 'rejection_reason', nullif(${result}->>'rejection_reason', '')) end)
        order by o.ordinality)
      from jsonb_array_elements(g.broker_gtt->'orders') with ordinality o),
    'broker_orders', coalesce((select jsonb_agg(jsonb_build_object(${BROKER_ORDER_FIELDS}) order by b.order_id)
      from ticker.orders b where b.account_id = g.account_id and b.order_id in (
        select ${result}->>'order_id' from jsonb_array_elements(g.broker_gtt->'orders') o)), '[]'::jsonb),
    'write_id', g.write_id, 'created_at', ${iso(sql`g.created_at`)}, 'updated_at', ${iso(sql`g.updated_at`)},
    'expires_at', ${iso(sql`g.expires_at`)}, 'seen_at', ${iso(sql`g.seen_at`)},
    'paper', a.paper, 'synthetic', ${synthetic}::boolean or a.paper)`
}

function select(call: Call, conditions: SQL[], limit: number) {
  return call.deps.db.rows(
    gttRow,
    sql`select ${gttJson(call.deps.config.realm === 'sim')} as gtt, g.broker_gtt
      from ticker.gtts g join ticker.accounts a on a.id = g.account_id
      where ${sql.join([visibleTo(call.actor), ...conditions], sql` and `)}
      order by g.trigger_id desc, g.account_id desc limit ${limit}`,
  )
}

/** The highest trigger id first. */
export async function listGtts(call: Call, query: z.output<typeof gttQuery>) {
  if (query.account_id && !mayUse(call.actor, query.account_id)) return refused('account_not_allowed')
  const before = decodeCursor(query.cursor, z.tuple([cursorText, cursorText]))
  const conditions: SQL[] = []
  if (query.account_id) conditions.push(sql`g.account_id = ${query.account_id}`)
  if (query.status) conditions.push(sql`g.status = ${query.status}`)
  if (before) conditions.push(sql`(g.trigger_id, g.account_id) < (${before[0]}::text, ${before[1]}::text)`)
  const rows = await select(call, conditions, query.limit + 1)
  return done(
    pageOf(
      rows.map((row) => row.gtt),
      query.limit,
      (found) => [found.id, found.account_id],
    ),
  )
}

export async function getGtt(call: Call, id: string, accountId: string): Promise<Outcome<Gtt>> {
  const [found] = await select(call, ofAccount(accountId, id), 1)
  return found ? done(found.gtt) : refused('gtt_not_found')
}

/** As the broker says it: all that its list keeps. */
export async function brokerGtts(call: Call, accountId: string, id?: string) {
  const kept = sql`(g.status = 'active' or g.updated_at > now() - interval '7 days')`
  const rows = await select(
    call,
    id === undefined ? [...ofAccount(accountId), kept] : ofAccount(accountId, id),
    1_000,
  )
  return rows.map((row) => row.broker_gtt)
}

const ofAccount = (accountId: string, id?: string): SQL[] => [
  sql`g.account_id = ${accountId}`,
  ...(id === undefined ? [] : [sql`g.trigger_id = ${id}`]),
]
