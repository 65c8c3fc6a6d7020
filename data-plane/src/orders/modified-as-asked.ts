// Whether an order shows what a modify asked for: how one in doubt is settled (RELIABILITY 8).
import type { ModifyOrder } from '@ticker/shared/domain'
import type { KiteOrder } from '@ticker/shared/kite-http'

const SAME_PRICE = 1e-6

/** undefined: what was asked for leaves no trace to compare; a market order is shown as a limit (KITE.md 5.2). */
export function modifiedAsAsked(order: KiteOrder, fields: ModifyOrder): boolean | undefined {
  const market = fields.order_type === 'MARKET' || fields.order_type === 'SL-M'
  const compared: boolean[] = []
  const number = (wanted: number | undefined, shown: number | null | undefined) => {
    if (wanted !== undefined) compared.push(Math.abs((shown ?? Number.NaN) - wanted) < SAME_PRICE)
  }
  number(fields.quantity, order.quantity)
  number(fields.price, order.price)
  number(fields.trigger_price, order.trigger_price)
  number(fields.disclosed_quantity, order.disclosed_quantity)
  if (fields.validity !== undefined) compared.push(order.validity === fields.validity)
  if (fields.order_type !== undefined && !market) compared.push(order.order_type === fields.order_type)
  return compared.length === 0 ? undefined : compared.every(Boolean)
}
