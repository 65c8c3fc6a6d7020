// The broker's order object as unmodified clients can read it (KITE-COMPATIBILITY "Socket"). Go's client fails on a
// field of another type and then loses the whole update: such a field is null here, and the rest arrives.
import { z } from 'zod'

const text = z.string().nullish().catch(null)
const number = z.number().nullish().catch(null)
const timestamp = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/)
  .nullish()
  .catch(null)

const orderUpdate = z.looseObject({
  account_id: text,
  placed_by: text,
  order_id: text,
  exchange_order_id: text,
  parent_order_id: text,
  status: text,
  status_message: text,
  status_message_raw: text,
  order_timestamp: timestamp,
  exchange_update_timestamp: timestamp,
  exchange_timestamp: timestamp,
  variety: text,
  modified: z.boolean().nullish().catch(null),
  meta: z.record(z.string(), z.unknown()).catch({}),
  exchange: text,
  tradingsymbol: text,
  instrument_token: number,
  order_type: text,
  transaction_type: text,
  validity: text,
  validity_ttl: number,
  product: text,
  quantity: number,
  disclosed_quantity: number,
  price: number,
  trigger_price: number,
  average_price: number,
  filled_quantity: number,
  pending_quantity: number,
  cancelled_quantity: number,
  auction_number: text,
  tag: text,
  tags: z
    .array(z.unknown())
    .transform((tags) => tags.filter((tag) => typeof tag === 'string'))
    .nullish()
    .catch(null),
  market_protection: number,
})

export function toOrderUpdate(order: Record<string, unknown>): Record<string, unknown> {
  return orderUpdate.parse(order)
}
