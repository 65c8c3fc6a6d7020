// A cancel or a modify as the broker takes it (KITE.md 5.1): of one of its orders, with only what changes.
import type { ModifyOrder } from '@ticker/shared/domain'
import type { KiteOrder } from '@ticker/shared/kite-http'
import type { OrderRequest } from './order-line.ts'

const REGULAR = 'regular'

export function cancelRequest(order: KiteOrder): OrderRequest {
  const parent = order.parent_order_id
  const query = parent ? `?${new URLSearchParams({ parent_order_id: parent })}` : ''
  return { method: 'DELETE', path: `${pathOf(order)}${query}` }
}

export function modifyRequest(order: KiteOrder, fields: ModifyOrder): OrderRequest {
  const form = new URLSearchParams()
  const { expires_in_s: _, market_protection: protection, ...changes } = fields
  for (const [name, value] of Object.entries(changes)) if (value !== undefined) form.set(name, String(value))
  // Mandatory when a limit order becomes a market order; -1 is the automatic band (KITE.md 5.2).
  const market = fields.order_type === 'MARKET' || fields.order_type === 'SL-M'
  if (market) form.set('market_protection', String(protection ?? -1))
  if (order.parent_order_id) form.set('parent_order_id', order.parent_order_id)
  return { method: 'PUT', path: pathOf(order), form }
}

function pathOf(order: KiteOrder): string {
  return `/orders/${encodeURIComponent(order.variety ?? REGULAR)}/${encodeURIComponent(order.order_id)}`
}
