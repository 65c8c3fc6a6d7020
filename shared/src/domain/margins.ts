// What orders would tie up and cost, before they are sent: the broker's own figures.
import { z } from 'zod'
import { accountAnswer } from './account-answer.ts'
import { placeOrder } from './place-order.ts'

/** As many legs as a basket has. */
export const VALUED_ORDERS_MAX = 20

const amount = z.number().nullable()

/** Orders exactly as POST /v1/orders takes them, of one account. */
export const ordersToValue = z
  .strictObject({ orders: z.array(placeOrder).min(1).max(VALUED_ORDERS_MAX) })
  .superRefine(({ orders }, context) => {
    for (const [index, order] of orders.entries())
      if (order.account_id !== orders[0]?.account_id)
        context.addIssue({
          code: 'custom',
          path: ['orders', index, 'account_id'],
          message: 'all orders are of one account',
        })
  })
  .meta({ id: 'OrdersToValue' })
export type OrdersToValue = z.infer<typeof ordersToValue>

/** What of an order the broker's figures depend on. */
export const valuedOrder = z.strictObject({
  exchange: z.string(),
  tradingsymbol: z.string(),
  transaction_type: z.enum(['BUY', 'SELL']),
  variety: z.string(),
  product: z.string(),
  order_type: z.string(),
  quantity: z.int(),
  price: z.number().optional(),
  trigger_price: z.number().optional(),
  /** What it filled at, or is imagined to: outranks the others in the charges. */
  average_price: z.number().optional(),
})
export type ValuedOrder = z.infer<typeof valuedOrder>

export const charges = z
  .object({
    transaction_tax: amount.meta({ description: 'STT or CTT' }),
    transaction_tax_type: z.string().nullable(),
    exchange_turnover_charge: amount,
    sebi_turnover_charge: amount,
    brokerage: amount,
    stamp_duty: amount,
    gst: z.object({ igst: amount, cgst: amount, sgst: amount, total: amount }),
    total: amount,
  })
  .meta({ id: 'Charges' })

export const margin = z
  .object({
    type: z.string().nullable().meta({ description: 'equity or commodity' }),
    exchange: z.string().nullable(),
    tradingsymbol: z.string().nullable(),
    ...{ span: amount, exposure: amount, option_premium: amount, additional: amount },
    ...{ cash: amount, var: amount, leverage: amount },
    pnl: z.object({ realised: amount, unrealised: amount }),
    charges,
    total: z.number().meta({ description: 'Rupees that must be there' }),
  })
  .meta({ id: 'Margin' })
export type Margin = z.infer<typeof margin>

export const margins = z
  .object({
    ...accountAnswer,
    orders: z.array(margin).meta({ description: 'In the order asked, each by itself' }),
  })
  .meta({ id: 'Margins' })
export type Margins = z.infer<typeof margins>

export const basketMargins = z
  .object({
    ...accountAnswer,
    initial: margin.meta({ description: 'Needed while the orders go out, without what they hedge' }),
    final: margin.meta({ description: 'Needed once all of them are positions' }),
    orders: z.array(margin),
  })
  .meta({ id: 'BasketMargins' })
export type BasketMargins = z.infer<typeof basketMargins>

/** One line of the broker's contract note. */
export const brokerCharge = z.object({
  exchange: z.string(),
  tradingsymbol: z.string(),
  transaction_type: z.string(),
  product: z.string(),
  quantity: z.int(),
  price: z.number(),
  charges,
})

/** Between which the trigger of a cover order may be. */
export const triggerRange = z.object({
  instrument_token: z.int(),
  lower: z.number(),
  upper: z.number(),
  percentage: z.number().nullable(),
})
export type TriggerRange = z.infer<typeof triggerRange>

/** By exchange:tradingsymbol; what the broker does not know is not there. */
export const triggerRanges = z.object({ ...accountAnswer, ranges: z.record(z.string(), triggerRange) })
export type TriggerRanges = z.infer<typeof triggerRanges>

export const orderCharges = z
  .object({
    ...accountAnswer,
    orders: z.array(
      brokerCharge.extend({
        price_from: z.enum(['order', 'tick']).meta({
          description: '`tick`: the last one that is live for you, for a MARKET order',
        }),
      }),
    ),
    total: z.number().meta({ description: 'Of all orders, rupees' }),
  })
  .meta({ id: 'OrderCharges' })
export type OrderCharges = z.infer<typeof orderCharges>
