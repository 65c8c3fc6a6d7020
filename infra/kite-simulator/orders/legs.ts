// Orders that are several in the book. An iceberg shows one leg at a time: the next begins when the one before has
// filled. A cover order gets its stop-loss leg when the first has filled. Every further leg names the first one as its
// parent and carries the same tag.
import type { Order } from './order.ts'
import type { PlaceRequest } from './request.ts'

/** What is sent to the exchange of an order as it was asked for. */
export function firstLeg(variety: string, request: PlaceRequest): PlaceRequest {
  if (variety === 'iceberg') return { ...request, quantity: request.iceberg_quantity }
  // The trigger is the second leg's.
  if (variety === 'co') return { ...request, trigger_price: 0 }
  return request
}

/** What follows a leg that has filled, the `filled`th of its order; null: it was the last. */
export function nextLeg({ row, asked }: Order, filled: number): PlaceRequest | null {
  if (row.variety === 'iceberg') {
    const left = asked.quantity - filled * asked.iceberg_quantity
    return left > 0 ? { ...asked, quantity: Math.min(left, asked.iceberg_quantity) } : null
  }
  if (row.variety !== 'co' || row.parent_order_id !== null) return null
  const exit = row.transaction_type === 'BUY' ? 'SELL' : 'BUY'
  return { ...asked, order_type: 'SL-M', transaction_type: exit, price: 0, market_protection: -1 }
}
