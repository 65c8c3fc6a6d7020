import { z } from 'zod'
import { parseBrokerTime } from '../domain/time.ts'
import type { KiteOutcome } from './envelope.ts'
import { type Credentials, type KiteHttp, request } from './request.ts'
import { shaped } from './shaped.ts'

/** What the database holds; a row beyond it is not believed. */
const count = z.coerce.number().int().min(-2_147_483_648).max(2_147_483_647)
const text = z.string().nullish()
/** Of use where it is there and readable; never a reason not to believe the rest of a row. */
const wordIfAny = text.catch(null)
const numberIfAny = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d+(\.\d+)?$/)
      .transform(Number),
  ])
  .nullish()
  .catch(null)
/** A string by the documents; a number would still name it. Anything else names nothing. */
const orderId = z.union([z.string().min(1), z.int().positive().transform(String)])

/** One row of the order book, history or an order update: what we rely on, and the rest as it came. */
export const kiteOrder = z
  .looseObject({
    order_id: orderId,
    status: z.string().min(1),
    status_message: text,
    exchange: z.string(),
    tradingsymbol: z.string(),
    transaction_type: z.string(),
    quantity: count,
    filled_quantity: count.nullish().transform((value) => value ?? 0),
    average_price: z.coerce
      .number()
      .max(1e13)
      .nullish()
      .transform((value) => value ?? 0),
    parent_order_id: text,
    variety: wordIfAny,
    product: wordIfAny,
    order_type: wordIfAny,
    validity: wordIfAny,
    price: numberIfAny,
    trigger_price: numberIfAny,
    disclosed_quantity: numberIfAny,
    order_timestamp: text,
    exchange_update_timestamp: text,
    tag: text,
    tags: z.array(z.string()).nullish(),
  })
  .meta({ description: 'KITE.md 4 and 5' })
export type KiteOrder = z.output<typeof kiteOrder>

/** Our tag may stand in `tag` or in `tags[]`, among the broker's own (KITE.md 5.3). */
export function tagsOf(order: Pick<KiteOrder, 'tag' | 'tags'>): string[] {
  return [...(order.tag ? [order.tag] : []), ...(order.tags ?? [])]
}

const SLICE_TAG = /^autoslice:(.+)$/

/** The order that this one is a leg or a slice of: the broker says so in one of two ways (KITE.md 5.3). */
export function parentOf(order: Pick<KiteOrder, 'parent_order_id' | 'tags'>): string | undefined {
  if (order.parent_order_id) return order.parent_order_id
  for (const tag of order.tags ?? []) {
    const parent = SLICE_TAG.exec(tag)?.[1]
    if (parent !== undefined) return parent
  }
  return undefined
}

/** When the broker last changed this order, epoch ms; 0 when it does not say. */
export function brokerUpdatedMs(order: KiteOrder): number {
  return Math.max(
    parseBrokerTime(order.exchange_update_timestamp) ?? 0,
    parseBrokerTime(order.order_timestamp) ?? 0,
  )
}

/** When the broker took the order, epoch ms; 0 when it does not say. */
export function brokerPlacedMs(order: KiteOrder): number {
  return parseBrokerTime(order.order_timestamp) ?? 0
}

/** The order book row by row: one row in a shape we do not know must not hide the others. */
export interface OrderBook {
  orders: KiteOrder[]
  /** Rows we cannot use, but that say which order they are and of what: evidence that it exists. */
  misshapen: { order_id: string; tags: string[]; parent_order_id?: string | undefined }[]
  /** Rows that do not even say that: what is not seen in this book may be in it. */
  unreadable: number
}

const orderName = z.looseObject({
  order_id: orderId,
  tag: z.string().nullish().catch(null),
  tags: z.array(z.string()).nullish().catch(null),
  parent_order_id: z.string().nullish().catch(null),
})

export async function getOrders(http: KiteHttp, credentials: Credentials): Promise<KiteOutcome<OrderBook>> {
  const outcome = await request(http, '/orders', { method: 'GET', credentials })
  const rows = shaped(
    z.array(z.unknown()),
    outcome.ok && outcome.data === null ? { ok: true, data: [] } : outcome,
  )
  return rows.ok ? { ok: true, data: bookOf(rows.data) } : rows
}

function bookOf(rows: readonly unknown[]): OrderBook {
  const book: OrderBook = { orders: [], misshapen: [], unreadable: 0 }
  for (const row of rows) {
    const order = kiteOrder.safeParse(row)
    if (order.success) {
      book.orders.push(order.data)
      continue
    }
    const named = orderName.safeParse(row)
    if (named.success) book.misshapen.push(nameOf(named.data))
    else book.unreadable += 1
  }
  return book
}

function nameOf(row: z.output<typeof orderName>): OrderBook['misshapen'][number] {
  return { order_id: row.order_id, tags: tagsOf(row), parent_order_id: parentOf(row) }
}

/** The states one order went through, oldest first. */
export async function getOrderHistory(
  http: KiteHttp,
  credentials: Credentials,
  orderId: string,
): Promise<KiteOutcome<KiteOrder[]>> {
  const path = `/orders/${encodeURIComponent(orderId)}`
  return shaped(z.array(kiteOrder), await request(http, path, { method: 'GET', credentials }))
}

/** What the broker says of one order that it was asked for: of several, if the order was cut into slices. */
export type PlacedItem =
  | { kind: 'order'; orderId: string }
  | { kind: 'refused'; status: number; errorType: string; message: string }
  | { kind: 'unreadable' }

const placedOrder = z
  .object({ order_id: orderId })
  .transform(({ order_id }): PlacedItem => ({ kind: 'order', orderId: order_id }))
const placedItem = z
  .union([
    placedOrder,
    z
      .object({
        error: z.object({
          code: z.coerce.number().catch(0),
          error_type: z.string().catch(''),
          message: z.string(),
        }),
      })
      .transform(
        ({ error }): PlacedItem => ({
          ...{ kind: 'refused', status: error.code, errorType: error.error_type, message: error.message },
        }),
      ),
  ])
  .catch({ kind: 'unreadable' })
/** The parent with its children, or one order alone; a list is autoslice's other published shape (KITE.md 5.3). */
const withChildren = z.looseObject({ children: z.array(placedItem).optional() })

/** Everything that a successful POST /orders names, in its order; what cannot be read is named too. */
export function placedItems(data: unknown): PlacedItem[] {
  const list = z.array(placedItem).safeParse(data)
  if (list.success) return list.data
  const parent = placedOrder.catch({ kind: 'unreadable' }).parse(data)
  const cut = withChildren.safeParse(data)
  return cut.success ? [parent, ...(cut.data.children ?? [])] : [parent, { kind: 'unreadable' }]
}
