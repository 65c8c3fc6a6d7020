// An order as the broker's book shows it, its trades, and what the simulator keeps beside the row.
import type { Instrument } from '../instruments/instrument-book.ts'
import { istTimestamp } from '../ist-time.ts'
import type { User } from '../users/user-store.ts'
import type { PlaceRequest } from './request.ts'

export type Side = 'BUY' | 'SELL'
export type OrderStatus =
  | 'PUT ORDER REQ RECEIVED'
  | 'AMO REQ RECEIVED'
  | 'VALIDATION PENDING'
  | 'OPEN PENDING'
  | 'OPEN'
  | 'TRIGGER PENDING'
  | 'MODIFY VALIDATION PENDING'
  | 'MODIFY PENDING'
  | 'MODIFIED'
  | 'CANCEL PENDING'
  | 'CANCELLED'
  | 'REJECTED'
  | 'COMPLETE'

export interface OrderRow {
  placed_by: string
  order_id: string
  exchange_order_id: string | null
  parent_order_id: string | null
  status: OrderStatus
  status_message: string | null
  status_message_raw: string | null
  order_timestamp: string
  exchange_update_timestamp: string | null
  exchange_timestamp: string | null
  variety: string
  modified: boolean
  exchange: string
  tradingsymbol: string
  instrument_token: number
  order_type: string
  transaction_type: Side
  validity: string
  validity_ttl: number
  product: string
  quantity: number
  disclosed_quantity: number
  price: number
  trigger_price: number
  average_price: number
  filled_quantity: number
  pending_quantity: number
  cancelled_quantity: number
  market_protection: number
  meta: Record<string, unknown>
  tag: string | null
  tags: string[]
  guid: string
  auction_number: string | null
}

export interface Trade {
  trade_id: string
  order_id: string
  exchange: string
  tradingsymbol: string
  instrument_token: number
  product: string
  average_price: number
  quantity: number
  exchange_order_id: string | null
  transaction_type: Side
  fill_timestamp: string
  order_timestamp: string
  exchange_timestamp: string
}

export interface Order {
  user: User
  instrument: Instrument
  row: OrderRow
  history: OrderRow[]
  /** Wall time before which the book does not show it (a fault). */
  visibleAtMs: number
  /** Rupees held back from the balance while it may still fill. */
  blockedMargin: number
  /** Percent, or -1 for the broker's own band; 0 for orders that need none. */
  protection: number
  modifications: number
  rejectWith: string | null
  /** As it was asked for: what its further legs are made of. */
  asked: PlaceRequest
}

export const TERMINAL: ReadonlySet<OrderStatus> = new Set(['CANCELLED', 'REJECTED', 'COMPLETE'])
export const WORKING: ReadonlySet<OrderStatus> = new Set(['OPEN', 'TRIGGER PENDING'])

export function newOrder(
  user: User,
  instrument: Instrument,
  variety: string,
  request: PlaceRequest,
  ids: { order_id: string; guid: string; parent_order_id?: string | undefined },
  nowMs: number,
): Order {
  const row: OrderRow = {
    placed_by: user.user_id,
    order_id: ids.order_id,
    exchange_order_id: null,
    parent_order_id: ids.parent_order_id ?? null,
    status: 'PUT ORDER REQ RECEIVED',
    status_message: null,
    status_message_raw: null,
    order_timestamp: istTimestamp(nowMs),
    exchange_update_timestamp: null,
    exchange_timestamp: null,
    variety,
    modified: false,
    exchange: instrument.exchange,
    tradingsymbol: instrument.tradingsymbol,
    instrument_token: instrument.instrument_token,
    order_type: request.order_type,
    transaction_type: request.transaction_type,
    validity: request.validity,
    validity_ttl: request.validity_ttl,
    product: request.product,
    quantity: request.quantity,
    disclosed_quantity: request.disclosed_quantity,
    price: request.price,
    trigger_price: request.trigger_price,
    average_price: 0,
    filled_quantity: 0,
    pending_quantity: request.quantity,
    cancelled_quantity: 0,
    market_protection: 0,
    meta: {},
    tag: request.tag ?? null,
    tags: request.tag === undefined ? [] : [request.tag],
    guid: ids.guid,
    auction_number: request.auction_number === '' ? null : request.auction_number,
  }
  const first = { ...row, instrument_token: 1 }
  return {
    user,
    instrument,
    row,
    history: [first],
    visibleAtMs: 0,
    blockedMargin: 0,
    protection: request.market_protection,
    modifications: 0,
    rejectWith: null,
    asked: request,
  }
}

/** Moves the order on and writes the step into its history. */
export function setStatus(order: Order, status: OrderStatus, nowMs: number): void {
  order.row.status = status
  order.row.exchange_update_timestamp = istTimestamp(nowMs)
  order.history.push({ ...order.row, tags: [...order.row.tags], meta: { ...order.row.meta } })
}
