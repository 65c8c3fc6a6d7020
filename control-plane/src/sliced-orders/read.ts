import { type SlicedOrder, slicedOrder } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { visibleTo } from '../accounts/rows.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { orderJson } from '../orders/rows.ts'

export async function getSlicedOrder(call: Call, id: string): Promise<Outcome<SlicedOrder>> {
  const [row] = await call.deps.db.rows(
    z.object({ sliced: slicedOrder }),
    sql`select jsonb_build_object('id', s.id, 'account_id', s.account_id, 'request', s.request, 'quantities', s.quantities,
        'cancel_requested_at', ${iso(sql`s.cancel_requested_at`)}, 'created_at', ${iso(sql`s.created_at`)},
        'orders', coalesce((
          select jsonb_agg(${orderJson(call.deps.config.realm === 'sim')} order by o.id)
          from ticker.order_intents o where o.sliced_order_id = s.id), '[]'::jsonb)) as sliced
      from ticker.sliced_orders s join ticker.accounts a on a.id = s.account_id
      where s.id = ${id} and ${visibleTo(call.actor)}`,
  )
  return row ? done(row.sliced) : refused('sliced_order_not_found')
}
