// Orders as the API shows them: our intent, with the broker's orders that came of it.
import { order } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { iso } from '../database.ts'

export const orderRow = z.object({ order })

/** JSON of the intent `o`. */
export function orderJson(synthetic: boolean): SQL {
  return sql`jsonb_build_object(
    'id', o.id, 'account_id', o.account_id, 'state', o.state, 'reason_code', o.reason_code, 'reason', o.reason,
    'request', o.request, 'tag', o.client_tag, 'broker_tag', o.tag, 'deadline', ${iso(sql`o.deadline`)},
    'broker_orders', coalesce((
      select jsonb_agg(jsonb_build_object(
        'order_id', b.order_id, 'status', b.status, 'status_message', b.status_message,
        'filled_quantity', b.filled_quantity, 'average_price', b.average_price,
        'broker_updated_at', ${iso(sql`b.broker_updated_at`)}) order by b.order_id)
      from ticker.orders b where b.account_id = o.account_id and b.intent_id = o.id), '[]'::jsonb),
    'synthetic', ${synthetic}::boolean,
    'created_at', ${iso(sql`o.created_at`)}, 'updated_at', ${iso(sql`o.updated_at`)})`
}
