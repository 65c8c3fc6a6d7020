// Orders as the API shows them: our intent, with the broker's orders that came of it.
import { BROKER_ORDER_FIELDS_SQL, order } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { iso } from '../database.ts'

/** What of `account_id` of such a row depends on the account: whether it is paper, and so synthetic whatever the realm. */
const marks = (row: SQL, synthetic: boolean) => {
  const paper = sql`(select x.paper from ticker.accounts x where x.id = ${row}.account_id)`
  return sql`'paper', ${paper}, 'synthetic', ${synthetic}::boolean or ${paper}`
}

export const orderRow = z.object({ order })

/** Of the broker's order `b`. */
export const BROKER_ORDER_FIELDS = sql.raw(BROKER_ORDER_FIELDS_SQL)

/** JSON of the broker's order `b`, whoever placed it. */
export function accountOrderJson(synthetic: boolean): SQL {
  return sql`jsonb_build_object(${BROKER_ORDER_FIELDS}, 'account_id', b.account_id, 'intent_id', b.intent_id,
    ${marks(sql`b`, synthetic)})`
}

/** JSON of the cancel or modify `c`. */
export function orderChangeJson(synthetic: boolean): SQL {
  return sql`jsonb_build_object(
    'id', c.id, 'account_id', c.account_id, 'kind', c.kind, 'order_id', c.intent_id, 'broker_order_id', c.order_id,
    'fields', c.fields, 'state', c.state, 'reason_code', c.reason_code, 'reason', c.reason,
    'deadline', ${iso(sql`c.deadline`)},
    'broker_orders', coalesce((
      select jsonb_agg(jsonb_build_object(${BROKER_ORDER_FIELDS}) order by b.order_id)
      from ticker.orders b where b.account_id = c.account_id
        and (b.order_id = c.order_id or (c.order_id is null and b.intent_id = c.intent_id))), '[]'::jsonb),
    ${marks(sql`c`, synthetic)},
    'created_at', ${iso(sql`c.created_at`)}, 'updated_at', ${iso(sql`c.updated_at`)})`
}

/** JSON of the intent `o`. */
export function orderJson(synthetic: boolean): SQL {
  return sql`jsonb_build_object(
    'id', o.id, 'account_id', o.account_id, 'state', o.state, 'reason_code', o.reason_code, 'reason', o.reason,
    'request', o.request, 'tag', o.client_tag, 'broker_tag', o.tag, 'deadline', ${iso(sql`o.deadline`)},
    'cancel_requested_at', ${iso(sql`o.cancel_requested_at`)}, 'broker_order_id', o.broker_order_id,
    'broker_orders', coalesce((
      select jsonb_agg(jsonb_build_object(${BROKER_ORDER_FIELDS}) order by b.order_id)
      from ticker.orders b where b.account_id = o.account_id and b.intent_id = o.id), '[]'::jsonb),
    'slices', o.slices, 'requeue_of', o.requeue_of,
    'not_seen_since', case when o.state = 'UNKNOWN' then ${iso(sql`o.absent_since`)} end,
    'sliced_order_id', o.sliced_order_id, 'batch_id', o.batch_id, 'exit_id', o.exit_id, ${marks(sql`o`, synthetic)},
    'created_at', ${iso(sql`o.created_at`)}, 'updated_at', ${iso(sql`o.updated_at`)})`
}
