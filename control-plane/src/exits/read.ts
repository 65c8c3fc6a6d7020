import { accountId, EXIT_STATES, type Exit, exit } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { visibleTo } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, pageOf, pageQuery } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { orderJson } from '../orders/rows.ts'

export const exitQuery = pageQuery.extend({
  account_id: accountId.optional(),
  state: z.enum(EXIT_STATES).optional(),
})
export type ExitQuery = z.output<typeof exitQuery>

const row = z.object({ exit })

function exitJson(synthetic: boolean): SQL {
  return sql`jsonb_build_object('id', e.id, 'account_id', e.account_id, 'state', e.state, 'reason_code', e.reason_code,
    'reason', e.reason, 'waiting', e.waiting, 'alarm_at', ${iso(sql`e.alarm_at`)}, 'request', e.request,
    'legs', case when e.legs is not null then (select coalesce(jsonb_agg(n.leg || jsonb_build_object('orders', m.orders, 'filled_quantity', m.filled) order by n.at), '[]'::jsonb)
      from jsonb_array_elements(e.legs) with ordinality as n(leg, at)
      cross join lateral (
        select coalesce(jsonb_agg(${orderJson(synthetic)} order by o.id), '[]'::jsonb) as orders,
          coalesce(sum((select sum(b.filled_quantity) from ticker.orders b
            where b.account_id = o.account_id and b.intent_id = o.id)), 0)::int as filled
        from ticker.order_intents o where o.exit_id = e.id
          and split_part(o.idempotency_key, ':', 3) = (n.at - 1)::text) m) end,
    'stop_requested_at', ${iso(sql`e.stop_requested_at`)},
    'created_at', ${iso(sql`e.created_at`)}, 'updated_at', ${iso(sql`e.updated_at`)})`
}

/** Newest first. */
export async function listExits(call: Call, query: ExitQuery) {
  if (query.account_id && !mayUse(call.actor, query.account_id)) return refused('account_not_allowed')
  const before = decodeCursor(query.cursor, z.tuple([cursorText]))
  const conditions: SQL[] = [visibleTo(call.actor)]
  if (query.account_id) conditions.push(sql`e.account_id = ${query.account_id}`)
  if (query.state) conditions.push(sql`e.state = ${query.state}`)
  if (before) conditions.push(sql`e.id < ${before[0]}`)
  const rows = await call.deps.db.rows(
    row,
    sql`select ${exitJson(call.deps.config.realm === 'sim')} as exit
      from ticker.exits e join ticker.accounts a on a.id = e.account_id
      where ${sql.join(conditions, sql` and `)} order by e.id desc limit ${query.limit + 1}`,
  )
  return done(
    pageOf(
      rows.map((found) => found.exit),
      query.limit,
      (found) => [found.id],
    ),
  )
}

export async function getExit(call: Call, id: string): Promise<Outcome<Exit>> {
  const [found] = await call.deps.db.rows(
    row,
    sql`select ${exitJson(call.deps.config.realm === 'sim')} as exit
      from ticker.exits e join ticker.accounts a on a.id = e.account_id
      where e.id = ${id} and ${visibleTo(call.actor)}`,
  )
  return found ? done(found.exit) : refused('exit_not_found')
}
