import type { Order } from '../api/types.ts'

const NOT_SETTLED = new Set(['QUEUED', 'SENDING', 'UNKNOWN'])
const FINISHED = new Set(['COMPLETE', 'CANCELLED', 'REJECTED'])

/** Whether there may be something to cancel: not settled, or accepted and not seen to be finished. */
export function isOpen(order: Pick<Order, 'state' | 'broker_orders'>): boolean {
  if (NOT_SETTLED.has(order.state)) return true
  if (order.broker_orders.length === 0) return order.state === 'ACCEPTED'
  return order.broker_orders.some(({ status }) => !FINISHED.has(status))
}
