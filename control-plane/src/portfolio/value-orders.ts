// What orders would tie up and cost, before they are sent. Nothing is stored, and nothing can be placed from here.
import type { AccountReading, OrdersToValue, PlaceOrder, ValuedOrder } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { mayUse } from '../auth/actor.ts'
import type { Call } from '../http/call.ts'
import { type Outcome, refused } from '../http/problem.ts'
import { askAccount } from './ask-account.ts'

export async function valueOrders<T>(
  call: Call,
  { orders }: OrdersToValue,
  readingOf: (orders: ValuedOrder[]) => AccountReading,
  shape: z.ZodType<T>,
): Promise<Outcome<T>> {
  const [first] = orders
  if (!first) return refused('invalid_request')
  if (!mayUse(call.actor, first.account_id)) return refused('account_not_allowed')
  const unknown = await unknownOf(call, orders)
  if (unknown.length > 0) {
    const errors = unknown.map(({ index, name }) => ({
      path: `orders.${index}.tradingsymbol`,
      message: `${name} is not in the current dump, or an index`,
    }))
    return refused('order_invalid', { errors })
  }
  return askAccount(call, first.account_id, readingOf(orders.map(valued)), shape)
}

/** Orders for what cannot be ordered. */
function unknownOf(call: Call, orders: readonly PlaceOrder[]) {
  const named = orders.map(({ exchange, tradingsymbol }, index) => ({ index, exchange, tradingsymbol }))
  return call.deps.db.rows(
    z.object({ index: z.int(), name: z.string() }),
    sql`select o.index, o.exchange || ':' || o.tradingsymbol as name
      from jsonb_to_recordset(${JSON.stringify(named)}::jsonb) as o(index int, exchange text, tradingsymbol text)
      where not exists (select from ticker.instruments i where i.exchange = o.exchange
        and i.tradingsymbol = o.tradingsymbol and i.is_active and (i.instrument_token & 255) <> 9)
      order by o.index`,
  )
}

function valued(order: PlaceOrder): ValuedOrder {
  const { exchange, tradingsymbol, transaction_type, variety, product, order_type, quantity } = order
  return {
    ...{ exchange, tradingsymbol, transaction_type, variety, product, order_type, quantity },
    ...(order.price === undefined ? {} : { price: order.price }),
    ...(order.trigger_price === undefined ? {} : { trigger_price: order.trigger_price }),
  }
}
