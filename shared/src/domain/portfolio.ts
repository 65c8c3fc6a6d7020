// What the broker says an account holds, owes and has traded, with our own profit and loss beside its. What the broker does not
// say is null, never 0.
import { z } from 'zod'
import { accountAnswer } from './account-answer.ts'

/** Rupees, or a price. */
const amount = z.number().nullable()
const units = z.int().nullable()

const traded = {
  exchange: z.string(),
  tradingsymbol: z.string(),
  instrument_token: z.int().nullable(),
  product: z.string().meta({ description: 'CNC, NRML, MIS, MTF' }),
}

const ownPrice = {
  last_price: z.number().meta({ description: 'Of the last tick, live' }),
  age_ms: z.int().meta({ description: 'Of that tick' }),
}

/** A position as the broker has it. `buy_value` and `sell_value` hold the multiplier already. */
export const brokerPosition = z.object({
  ...traded,
  quantity: z.int().meta({ description: 'Negative: short; of MCX, CDS and BCD in lots' }),
  overnight_quantity: units,
  multiplier: amount.meta({ description: 'Rupees that a price one rupee higher makes of one quantity' }),
  ...{ average_price: amount, close_price: amount, last_price: amount },
  ...{ value: amount, pnl: amount, m2m: amount, unrealised: amount, realised: amount },
  ...{ buy_quantity: units, buy_price: amount, buy_value: amount, buy_m2m: amount },
  ...{ sell_quantity: units, sell_price: amount, sell_value: amount, sell_m2m: amount },
  ...{ day_buy_quantity: units, day_buy_price: amount, day_buy_value: amount },
  ...{ day_sell_quantity: units, day_sell_price: amount, day_sell_value: amount },
})
export type BrokerPosition = z.infer<typeof brokerPosition>

export const positionPnl = z
  .object({
    last_price: ownPrice.last_price
      .nullable()
      .meta({ description: 'null: nothing is open, no price is needed' }),
    age_ms: ownPrice.age_ms.nullable(),
    multiplier: z.number(),
    pnl: z.number().meta({ description: 'sell_value − buy_value + quantity × last_price × multiplier' }),
    unrealised: z.number().meta({ description: 'quantity × (last_price − average_price) × multiplier' }),
    realised: z.number().meta({ description: 'The rest of it' }),
  })
  .meta({ id: 'PositionPnl' })
export type PositionPnl = z.infer<typeof positionPnl>

export const position = brokerPosition
  .extend({
    own: positionPnl.nullable().meta({
      description:
        'From the ticks that are streamed for you; null where none is live, or the multiplier is not known',
    }),
  })
  .meta({ id: 'Position' })
export type Position = z.infer<typeof position>

/** A holding as the broker has it. */
export const brokerHolding = z.object({
  ...traded,
  isin: z.string().nullable(),
  quantity: z.int().meta({ description: 'Delivered; what is still to be is t1_quantity' }),
  t1_quantity: units,
  ...{ realised_quantity: units, opening_quantity: units, used_quantity: units, short_quantity: units },
  authorised_quantity: units.meta({ description: 'Of which the sale is authorised at the depository today' }),
  authorised_date: z.string().nullable(),
  collateral_quantity: units.meta({ description: 'Pledged; not in quantity' }),
  collateral_type: z.string().nullable(),
  discrepancy: z.boolean().nullable().meta({ description: 'The broker does not know the average price' }),
  ...{ price: amount, average_price: amount, close_price: amount, last_price: amount },
  ...{ pnl: amount, day_change: amount, day_change_percentage: amount },
  mtf: z
    .object({
      ...{ quantity: units, used_quantity: units },
      ...{ average_price: amount, value: amount, initial_margin: amount },
    })
    .meta({ description: 'Bought on margin' }),
})
export type BrokerHolding = z.infer<typeof brokerHolding>

/** What is held of an instrument that is auctioned now; a seller of it names the number. */
export const brokerAuction = brokerHolding
  .omit({ used_quantity: true, short_quantity: true, mtf: true })
  .extend({ auction_number: z.string() })
export type BrokerAuction = z.infer<typeof brokerAuction>

export const holdingPnl = z
  .object({
    ...ownPrice,
    value: z.number().meta({ description: '(quantity + t1_quantity) × last_price' }),
    pnl: z.number().nullable().meta({
      description: '(quantity + t1_quantity) × (last_price − average_price); null with a discrepancy',
    }),
  })
  .meta({ id: 'HoldingPnl' })
export type HoldingPnl = z.infer<typeof holdingPnl>

export const holding = brokerHolding
  .extend({
    own: holdingPnl.nullable().meta({
      description: 'From the ticks that are streamed for you; null where none is live',
    }),
  })
  .meta({ id: 'Holding' })
export type Holding = z.infer<typeof holding>

export const fundsSegment = z
  .object({
    enabled: z.boolean().nullable(),
    net: amount.meta({ description: 'What may be used; the broker’s own sum' }),
    available: z.object({
      ...{ cash: amount, opening_balance: amount, live_balance: amount },
      ...{ adhoc_margin: amount, collateral: amount, intraday_payin: amount },
    }),
    utilised: z.object({
      ...{ debits: amount, span: amount, exposure: amount, option_premium: amount, delivery: amount },
      ...{ m2m_realised: amount, m2m_unrealised: amount, payout: amount, turnover: amount },
      ...{ holding_sales: amount, liquid_collateral: amount, stock_collateral: amount, equity: amount },
    }),
  })
  .meta({ id: 'FundsSegment' })
export type FundsSegment = z.infer<typeof fundsSegment>

/** A trade as the broker has it. */
export const brokerTrade = z.object({
  ...traded,
  trade_id: z.string(),
  order_id: z.string(),
  exchange_order_id: z.string().nullable(),
  transaction_type: z.string(),
  quantity: z.int(),
  average_price: z.number(),
  traded_at: z.string().nullable(),
})
export type BrokerTrade = z.infer<typeof brokerTrade>

/** A trade as the instance answers it: with what it is worth. */
export const valuedTrade = brokerTrade.extend({
  multiplier: amount.meta({ description: 'Of one quantity; null: not known' }),
  value: amount.meta({ description: 'quantity × average_price × multiplier' }),
})
export type ValuedTrade = z.infer<typeof valuedTrade>

export const trade = valuedTrade
  .extend({
    intent_id: z.string().nullable().meta({ description: 'Our order it is of; null: placed elsewhere' }),
    tag: z.string().nullable().meta({ description: "The caller's tag, whole" }),
    broker_tag: z.string().nullable().meta({ description: 'The unique tag the broker sees' }),
  })
  .meta({ id: 'Trade' })

const omitted = z.int().meta({
  description: 'Rows of the broker that are not here: in a shape that is not known, or beyond 5,000',
})

export const positions = z
  .object({
    ...accountAnswer,
    net: z.array(position).meta({ description: 'Everything that is held, with what was carried over' }),
    day: z.array(position).meta({ description: "Today's trades alone" }),
    omitted,
  })
  .meta({ id: 'Positions' })
export type Positions = z.infer<typeof positions>

export const holdings = z
  .object({ ...accountAnswer, holdings: z.array(holding), omitted })
  .meta({ id: 'Holdings' })
export type Holdings = z.infer<typeof holdings>

export const auctions = z
  .object({ ...accountAnswer, auctions: z.array(brokerAuction), omitted })
  .meta({ id: 'Auctions' })
export type Auctions = z.infer<typeof auctions>

export const funds = z
  .object({ ...accountAnswer, equity: fundsSegment.nullable(), commodity: fundsSegment.nullable() })
  .meta({ id: 'Funds' })
export type Funds = z.infer<typeof funds>

export const valuedTrades = z.object({ ...accountAnswer, trades: z.array(valuedTrade), omitted })
export type ValuedTrades = z.infer<typeof valuedTrades>

export const trades = valuedTrades.extend({ trades: z.array(trade) }).meta({ id: 'Trades' })
export type Trades = z.infer<typeof trades>

/** The broker's own rows of one order, oldest first. */
export const orderHistory = z.object({
  ...accountAnswer,
  orders: z.array(z.record(z.string(), z.unknown())),
})
export type OrderHistory = z.infer<typeof orderHistory>
