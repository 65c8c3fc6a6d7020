// Cancels every slice of a large order. None is stored from here on: who places and who cancels meet at the plan's row.
import type { OrderChange } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { visibleTo } from '../accounts/rows.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { cancelOrder } from '../orders/cancel.ts'
import { getSlicedOrder } from './read.ts'

export async function cancelSlicedOrder(
  call: Call,
  idempotencyKey: string,
  id: string,
): Promise<Outcome<{ changes: OrderChange[] }>> {
  const marked = await call.deps.db.rows(
    z.object({ id: z.string() }),
    sql`update ticker.sliced_orders s set cancel_requested_at = coalesce(s.cancel_requested_at, now())
      from ticker.accounts a where s.id = ${id} and a.id = s.account_id and ${visibleTo(call.actor)} returning s.id`,
  )
  if (marked.length === 0) return refused('sliced_order_not_found')
  const sliced = await getSlicedOrder(call, id)
  if (!sliced.ok) return sliced
  const changes: OrderChange[] = []
  let refusal: Outcome<never> | undefined
  for (const { id: orderId } of sliced.value.orders) {
    const cancelled = await cancelOrder(call, `${idempotencyKey}#${orderId}`, orderId)
    // One that is refused keeps no other from being cancelled; the same key goes on with those that are left.
    if (cancelled.ok) changes.push(cancelled.value.change)
    else refusal ??= cancelled
  }
  return refusal ?? done({ changes })
}
