// An order that came to nothing, placed anew by a person: the same request, with a key and a tag of its own, once.
import { placeOrder as placeBody } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { visibleTo } from '../accounts/rows.ts'
import { violatedUnique } from '../database.ts'
import type { Call } from '../http/call.ts'
import { type Outcome, refused } from '../http/problem.ts'
import { CAME_TO_NOTHING, type PlacedOrder, placeOrder } from './place.ts'

const row = z.object({
  state: z.string(),
  request: z.unknown(),
  requeued: z.string().nullable(),
  requeued_key: z.string().nullable(),
})

export async function requeueOrder(call: Call, key: string, id: string): Promise<Outcome<PlacedOrder>> {
  const [found] = await call.deps.db.rows(
    row,
    sql`select o.state, o.request, r.id as requeued, r.idempotency_key as requeued_key
      from ticker.order_intents o join ticker.accounts a on a.id = o.account_id
      left join ticker.order_intents r on r.requeue_of = o.id
      where o.id = ${id} and ${visibleTo(call.actor)}`,
  )
  if (!found) return refused('order_not_found')
  // The same key is the same order again, as with every place.
  if (found.requeued !== null && found.requeued_key !== key)
    return refused('order_requeued', { detail: `As ${found.requeued}.` })
  if (found.requeued === null && !CAME_TO_NOTHING.some((state) => state === found.state))
    return refused('order_not_to_requeue', { detail: `It is ${found.state}.` })
  const request = placeBody.safeParse(found.request)
  if (!request.success) return refused('order_not_to_requeue', { detail: 'It is of an older form.' })
  try {
    return await placeOrder(call, key, request.data, { requeueOf: id })
  } catch (error) {
    if (violatedUnique(error) !== 'order_intents_requeue') throw error
    return refused('order_requeued', { detail: 'By another request at the same time.' })
  }
}
