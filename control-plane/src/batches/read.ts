import { accountId, BATCH_STATES, type Batch, batch } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { visibleTo } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, pageOf, pageQuery } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { orderJson } from '../orders/rows.ts'

export const batchQuery = pageQuery.extend({
  account_id: accountId.optional(),
  state: z.enum(BATCH_STATES).optional(),
})
export type BatchQuery = z.output<typeof batchQuery>

const row = z.object({ batch })

function batchJson(synthetic: boolean): SQL {
  const orderOf = (key: SQL) => sql`(select ${orderJson(synthetic)} from ticker.order_intents o
    where o.account_id = b.account_id and o.batch_id = b.id and o.idempotency_key = ${key})`
  return sql`jsonb_build_object('id', b.id, 'account_id', b.account_id, 'state', b.state, 'reason_code', b.reason_code,
    'reason', b.reason, 'unwind', b.unwind, 'unwind_failure', b.unwind_failure, 'request', b.request, 'margin', b.margin,
    'legs', (select jsonb_agg(jsonb_build_object(
        'order', ${orderOf(sql`'batch:' || b.id || ':' || n.leg`)},
        'unwind', ${orderOf(sql`'batch:' || b.id || ':' || n.leg || ':unwind'`)}) order by n.leg)
      from generate_series(0, jsonb_array_length(b.request->'legs') - 1) as n(leg)),
    'stop_requested_at', ${iso(sql`b.stop_requested_at`)},
    'created_at', ${iso(sql`b.created_at`)}, 'updated_at', ${iso(sql`b.updated_at`)})`
}

/** Newest first. */
export async function listBatches(call: Call, query: BatchQuery) {
  if (query.account_id && !mayUse(call.actor, query.account_id)) return refused('account_not_allowed')
  const before = decodeCursor(query.cursor, z.tuple([cursorText]))
  const conditions: SQL[] = [visibleTo(call.actor)]
  if (query.account_id) conditions.push(sql`b.account_id = ${query.account_id}`)
  if (query.state) conditions.push(sql`b.state = ${query.state}`)
  if (before) conditions.push(sql`b.id < ${before[0]}`)
  const rows = await call.deps.db.rows(
    row,
    sql`select ${batchJson(call.deps.config.realm === 'sim')} as batch
      from ticker.batches b join ticker.accounts a on a.id = b.account_id
      where ${sql.join(conditions, sql` and `)} order by b.id desc limit ${query.limit + 1}`,
  )
  return done(
    pageOf(
      rows.map((found) => found.batch),
      query.limit,
      (found) => [found.id],
    ),
  )
}

export async function getBatch(call: Call, id: string): Promise<Outcome<Batch>> {
  const [found] = await call.deps.db.rows(
    row,
    sql`select ${batchJson(call.deps.config.realm === 'sim')} as batch
      from ticker.batches b join ticker.accounts a on a.id = b.account_id
      where b.id = ${id} and ${visibleTo(call.actor)}`,
  )
  return found ? done(found.batch) : refused('batch_not_found')
}
