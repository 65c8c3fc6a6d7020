// Mutual funds of an account, to be read: the broker's API takes no orders for them.
import { z } from 'zod'
import { accountAnswer } from './account-answer.ts'

const amount = z.number().nullable()
const text = z.string().nullable()
const instant = z.string().nullable()

const fund = {
  tradingsymbol: z.string().meta({ description: 'ISIN' }),
  fund: text.meta({ description: 'Its name' }),
}

export const brokerFundHolding = z.object({
  ...fund,
  folio: text,
  quantity: z.number().meta({ description: 'Units, with decimals' }),
  pledged_quantity: amount,
  average_price: amount,
  last_price: amount.meta({ description: 'The last net asset value that the broker has' }),
  last_price_date: text.meta({ description: 'Of which day it is' }),
  pnl: amount.meta({ description: 'As the broker sends it, often 0' }),
})

export const fundHolding = brokerFundHolding
  .extend({
    own: z.object({ value: z.number(), pnl: amount }).nullable().meta({
      description:
        'quantity × last_price, and × (last_price − average_price); null where a price is not known',
    }),
  })
  .meta({ id: 'FundHolding' })

export const fundOrder = z
  .object({
    ...fund,
    order_id: z.string(),
    exchange_order_id: text,
    status: z.string().meta({ description: "The broker's words: OPEN, PROCESSING, COMPLETE, REJECTED …" }),
    status_message: text,
    transaction_type: z.string(),
    variety: text.meta({ description: 'regular, sip, amc_sip …' }),
    purchase_type: text,
    folio: text,
    ...{ quantity: amount, amount, average_price: amount, last_price: amount },
    last_price_date: text,
    settlement_id: text,
    tag: text,
    ordered_at: instant,
    exchange_date: text,
  })
  .meta({ id: 'FundOrder' })

export const fundSip = z
  .object({
    ...fund,
    sip_id: z.string(),
    status: z.string().meta({ description: 'ACTIVE, PAUSED, CANCELLED …' }),
    ...{ sip_type: text, transaction_type: text, dividend_type: text, frequency: text },
    instalment_amount: amount,
    ...{
      instalments: amount,
      completed_instalments: amount,
      pending_instalments: amount,
      instalment_day: amount,
    },
    next_instalment: text.meta({ description: 'A day' }),
    ...{ last_instalment_at: instant, created_at: instant },
    trigger_price: amount,
    tag: text,
  })
  .meta({ id: 'FundSip' })

/** One purchase or redemption of a fund that is held. */
export const fundTrade = z.object({
  ...fund,
  ...{ variety: text, folio: text, exchange_timestamp: text },
  ...{ average_price: amount, amount, quantity: amount },
})
export type FundTrade = z.infer<typeof fundTrade>

const answered = {
  ...accountAnswer,
  omitted: z.int().meta({
    description: 'Rows of the broker that are not here: in a shape that is not known, or beyond 5,000',
  }),
}

export const fundHoldings = z
  .object({ ...answered, holdings: z.array(fundHolding) })
  .meta({ id: 'FundHoldings' })
export type FundHoldings = z.infer<typeof fundHoldings>

export const fundOrders = z.object({ ...answered, orders: z.array(fundOrder) }).meta({ id: 'FundOrders' })
export type FundOrders = z.infer<typeof fundOrders>

export const fundSips = z.object({ ...answered, sips: z.array(fundSip) }).meta({ id: 'FundSips' })
export type FundSips = z.infer<typeof fundSips>

export const fundTrades = z.object({ ...answered, trades: z.array(fundTrade) })
export type FundTrades = z.infer<typeof fundTrades>

/** Of which something was ever allotted. */
export const fundAllotments = z.object({ ...accountAnswer, isins: z.array(z.string()) })
export type FundAllotments = z.infer<typeof fundAllotments>
