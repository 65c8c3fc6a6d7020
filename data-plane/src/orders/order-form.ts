import type { PlaceOrder } from '@ticker/shared/domain'

/** The broker's form of an order (KITE.md 5.1), with our unique tag as its only handle. */
export function orderForm(order: PlaceOrder, tag: string): URLSearchParams {
  const form = new URLSearchParams()
  const put = (name: string, value: string | number | undefined) => {
    if (value !== undefined) form.set(name, String(value))
  }
  put('exchange', order.exchange)
  put('tradingsymbol', order.tradingsymbol)
  put('transaction_type', order.transaction_type)
  put('quantity', order.quantity)
  put('product', order.product)
  put('order_type', order.order_type)
  put('price', order.price)
  put('trigger_price', order.trigger_price)
  put('validity', order.validity)
  put('validity_ttl', order.validity_ttl)
  put('disclosed_quantity', order.disclosed_quantity)
  // The broker refuses MARKET and SL-M without it since 1 Apr 2026 (KITE.md 5.2); -1 is its automatic band.
  const market = order.order_type === 'MARKET' || order.order_type === 'SL-M'
  put('market_protection', market ? (order.market_protection ?? -1) : undefined)
  put('iceberg_legs', order.iceberg_legs)
  put('iceberg_quantity', order.iceberg_quantity)
  put('auction_number', order.auction_number)
  if (order.autoslice) put('autoslice', 'true')
  put('tag', tag)
  return form
}
