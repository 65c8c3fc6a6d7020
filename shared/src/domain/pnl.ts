// Profit and loss of an account from our own record of what was filled, beside the broker's. What is not known is null, never 0,
// and so is every sum that it belongs to.
import { z } from 'zod'
import { accountAnswer } from './account-answer.ts'

const rupees = z.number().nullable()

export const pnlFigures = z.object({
  realised: rupees.meta({ description: 'Of what was bought and sold again, at the average of each' }),
  unrealised: rupees.meta({ description: 'Of what is held, at its last price' }),
  pnl: rupees.meta({ description: 'realised + unrealised' }),
  day_pnl: rupees.meta({ description: 'The same with what was carried over at its last close' }),
})
export type PnlFigures = z.infer<typeof pnlFigures>

const brokerFigures = z.object({ realised: rupees, unrealised: rupees, pnl: rupees, m2m: rupees })

const named = {
  exchange: z.string(),
  tradingsymbol: z.string(),
  product: z.string(),
}

const priceFrom = z.enum(['tick', 'broker']).nullable().meta({
  description:
    'tick: live for you. broker: with its positions, of unknown age. null: nothing is held, or none is known',
})

export const ownPosition = z
  .object({
    ...named,
    instrument_token: z.int().nullable(),
    quantity: z.int().meta({ description: 'Carried over and filled today, by our record; negative: short' }),
    overnight_quantity: z.int().meta({ description: 'Carried over, as the broker says' }),
    bought_quantity: z.int().meta({ description: 'Today' }),
    sold_quantity: z.int().meta({ description: 'Today' }),
    average_price: rupees.meta({ description: 'Of the side that is held; null: nothing is' }),
    multiplier: z.number().nullable().meta({ description: "The broker's, else of the contract's terms" }),
    last_price: rupees,
    price_from: priceFrom,
    age_ms: z.int().nullable().meta({ description: 'Of the tick; of the broker’s answer' }),
    ...pnlFigures.shape,
    broker: brokerFigures
      .extend({ quantity: z.int() })
      .nullable()
      .meta({ description: 'As the broker says; null: it does not show the position' }),
    difference: rupees.meta({ description: "pnl − the broker's pnl" }),
  })
  .meta({ id: 'OwnPosition' })
export type OwnPosition = z.infer<typeof ownPosition>

export const strategyPnl = z
  .object({
    strategy: z.string().nullable().meta({
      description: 'null: orders without one, orders placed elsewhere, and what was carried over',
    }),
    ...pnlFigures.shape,
    positions: z.array(z.object({ ...named, quantity: z.int(), price_from: priceFrom, ...pnlFigures.shape })),
  })
  .meta({ id: 'StrategyPnl' })
export type StrategyPnl = z.infer<typeof strategyPnl>

export const pnl = z
  .object({
    ...accountAnswer,
    account: pnlFigures.extend({ broker: brokerFigures, difference: rupees }),
    strategies: z.array(strategyPnl),
    positions: z.array(ownPosition),
    stale: z
      .array(z.string())
      .meta({ description: 'Held, and no tick of them is live for you: a daily-loss limit refuses entries' }),
    unknown: z.array(z.string()).meta({
      description:
        'Without figures: no price, no multiplier, a fill without its price, or what was carried over has no cost',
    }),
    omitted: z.int().meta({ description: 'Rows of the broker in a shape that is not known, or too many' }),
  })
  .meta({
    id: 'Pnl',
    description:
      'Positions alone, not holdings, before charges. A strategy’s realised and unrealised are of its own fills, so only the sum of both adds up over strategies',
  })
export type Pnl = z.infer<typeof pnl>
