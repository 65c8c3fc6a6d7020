// Tells the world about an order: a text frame to all of the user's sockets and an HTTP postback to the app
// (KITE.md 4). Sent once, after a seeded delay, with the order as it was at that moment; nothing on placement.
import { sha256, type User } from '../users/user-store.ts'
import type { Order, OrderRow } from './order.ts'

const POSTBACK_TIMEOUT_MS = 5_000

export type OrderUpdate = Omit<OrderRow, 'status' | 'tags' | 'modified'> & {
  status: OrderRow['status'] | 'UPDATE'
  user_id: string
  app_id: number
  checksum: string
  unfilled_quantity: number
}

/** `UPDATE` stands for a modification or a partial fill. */
export function orderUpdate(order: Order, kind: 'status' | 'UPDATE'): OrderUpdate {
  const { tags: _tags, modified: _modified, ...row } = order.row
  return {
    ...row,
    status: kind === 'UPDATE' ? 'UPDATE' : row.status,
    meta: { ...row.meta },
    user_id: order.user.user_id,
    app_id: 1,
    checksum: '',
    unfilled_quantity: row.pending_quantity,
  }
}

/** Fire and forget, as the broker's: a failing receiver is not retried. */
export async function sendPostback(user: User, update: OrderUpdate, fetcher: typeof fetch): Promise<void> {
  if (user.postback_url === null) return
  const checksum = sha256(update.order_id + update.order_timestamp + user.api_secret)
  try {
    await fetcher(user.postback_url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...update, checksum }),
      signal: AbortSignal.timeout(POSTBACK_TIMEOUT_MS),
    })
  } catch {
    // The receiver is down; the book is the truth.
  }
}
