// The chain of one underlying and expiry: what its options are worth by their ticks, and what follows from that.
// What cannot be computed is null and says why: a zero is a value, and never stands for "unknown".
import { z } from 'zod'
import { exchange, instrumentToken } from './instruments.ts'
import { underlyingOf } from './symbol-aliases.ts'
import { storedText } from './text.ts'

export const CHAIN_STRIKES_MAX = 200
export const CHAIN_STRIKES_DEFAULT = 20

export const optionUnderlying = storedText(100, 1).transform(underlyingOf).meta({
  description:
    '`name` of its options in the dump; its index or share, or an alias of it (^NSEI, RELIANCE.NS)',
  example: 'NIFTY',
})

export const pricingModel = z.enum(['bsm', 'black76']).meta({
  id: 'PricingModel',
  description: '`bsm`: Black-Scholes-Merton on the spot. `black76`: Black 1976 on the future',
})

const yearly = z.number().min(-0.5).max(1)

/** As JSON and as a query: the same words, numbers in a query are text. */
const choices = <Number extends z.ZodType<number>>(number: (schema: z.ZodNumber) => Number) => ({
  exchange: exchange
    .optional()
    .meta({ description: 'Where the options trade; needed when that is more than one', example: 'NFO' }),
  expiry: z.iso.date().optional().meta({ description: 'The nearest when absent' }),
  strikes: number(z.int().min(0).max(CHAIN_STRIKES_MAX))
    .optional()
    .meta({
      description: `Streamed strikes on each side of the money; ${CHAIN_STRIKES_DEFAULT} when absent`,
    }),
  model: pricingModel
    .optional()
    .meta({ description: 'When absent: bsm, or black76 where the spot is not live or there is none' }),
  rate: number(yearly)
    .optional()
    .meta({ description: 'A year, continuous, as a fraction; as configured for the underlying when absent' }),
  dividend_yield: number(yearly).optional().meta({ description: 'Of the spot; likewise' }),
})

export const optionChainQuery = z.strictObject(
  choices((schema) =>
    z.preprocess((text) => (typeof text === 'string' && text !== '' ? Number(text) : text), schema),
  ),
)

export const optionChainRequest = z.strictObject({
  underlying: optionUnderlying,
  ...choices((schema) => schema),
})
export type OptionChainRequest = z.infer<typeof optionChainRequest>

export const chainUnavailable = z.enum(['no_spot', 'spot_stale', 'expired', 'expiry_unknown', 'pre_open'])
export type ChainUnavailable = z.infer<typeof chainUnavailable>

export const legUnavailable = z
  .enum([
    'not_streamed',
    'waiting',
    'stale',
    'no_price',
    ...chainUnavailable.options,
    'price_below_intrinsic',
    'price_above_bound',
  ])
  .meta({
    id: 'LegUnavailable',
    description: [
      '`not_streamed`: no account of yours streams it there',
      '`waiting`: no tick yet',
      '`stale`: its broker socket is down or silent',
      '`no_price`: it never traded and nobody quotes both sides',
      '`no_spot`, `spot_stale`: neither the underlying nor its future has a price of the last minute',
      '`expired`',
      '`expiry_unknown`: the hours of its exchange are not known',
      '`pre_open`: its exchange opens in a moment: prices are of the day before',
      '`price_below_intrinsic`, `price_above_bound`: at no volatility is it worth that',
    ].join('; '),
  })
export type LegUnavailable = z.infer<typeof legUnavailable>

const price = z.number().nullable()
const computed = z.number().nullable()

export const optionLeg = z
  .object({
    instrument_token: instrumentToken,
    tradingsymbol: z.string(),
    last_price: price,
    bid: price.meta({ description: 'Best of the depth; null where there is none, or the mode is not full' }),
    ask: price,
    volume: z.int().nullable(),
    oi: z.int().nullable(),
    age_ms: z.int().nullable().meta({ description: 'Of its last tick' }),
    price: price.meta({
      description: 'What the volatility is of: the middle of bid and ask where both are there, else the last',
    }),
    iv: computed.meta({ description: 'Implied volatility a year, as a fraction: 0.13 is 13 %' }),
    delta: computed.meta({ description: 'Per rupee of the underlying' }),
    gamma: computed,
    theta: computed.meta({ description: 'Rupees a calendar day' }),
    vega: computed.meta({ description: 'Rupees a volatility point' }),
    rho: computed.meta({ description: 'Rupees a percent of the rate' }),
    unavailable: legUnavailable
      .nullable()
      .meta({ description: 'Why there is no volatility; null: there is' }),
  })
  .meta({ id: 'OptionLeg' })
export type OptionLeg = z.infer<typeof optionLeg>

const underlyingPrice = z
  .object({
    instrument: z.string().meta({ description: 'exchange:tradingsymbol' }),
    price: z.number(),
    age_ms: z.int(),
    live: z.boolean().meta({ description: 'Of the last minute, over a socket that ticks' }),
  })
  .nullable()

export const optionChain = z
  .object({
    underlying: z.string(),
    exchange,
    expiry: z.string(),
    expires_at: z.string().nullable().meta({ description: 'The close of its last day' }),
    expires_at_confirmed: z
      .boolean()
      .meta({ description: 'false: no circular says so, or the day is a holiday' }),
    days_to_expiry: z.number().nullable(),
    expiries: z.array(z.string()).meta({ description: 'That are listed and have not ended' }),
    model: pricingModel.nullable(),
    rate: z.number(),
    dividend_yield: z.number(),
    spot: underlyingPrice.meta({ description: 'Index or share; null without a tick, and for commodities' }),
    future: underlyingPrice.meta({ description: 'Of that expiry, or the next after it' }),
    forward: computed.meta({ description: 'What the underlying is worth at expiry, by the model' }),
    unavailable: chainUnavailable
      .nullable()
      .meta({ description: 'Why no leg has a volatility; null: they may' }),
    atm_strike: computed.meta({ description: 'The listed strike nearest to the forward' }),
    atm_iv: computed.meta({ description: 'Of options out of the money, interpolated at the forward' }),
    skew_25d: computed.meta({
      description: 'Volatility of the put of delta -0.25 less that of the call of delta 0.25, interpolated',
    }),
    pcr_oi: computed.meta({ description: 'Open interest of the puts by that of the calls' }),
    pcr_volume: computed,
    max_pain: computed.meta({ description: 'The strike at which all of them together are worth least' }),
    max_pain_strikes: z.int().meta({
      description:
        'That max_pain rests on: those whose open interest is known on both sides. Unknown is not 0: the others are left out',
    }),
    legs: z
      .object({ listed: z.int(), streamed: z.int(), with_oi: z.int(), with_iv: z.int() })
      .meta({ description: 'All of the expiry: what the ratios above rest on' }),
    strikes: z.array(z.object({ strike: z.number(), call: optionLeg.nullable(), put: optionLeg.nullable() })),
    synthetic: z.boolean(),
    computed_at: z.string(),
  })
  .meta({ id: 'OptionChain' })
export type OptionChain = z.infer<typeof optionChain>

/** Why there is no chain. */
export const chainRefusal = z.enum(['chain_unknown', 'exchange_ambiguous', 'chain_not_streamed'])
export type ChainRefusal = z.infer<typeof chainRefusal>
export const chainRefused = z.object({ refusal: chainRefusal, detail: z.string() })
export type ChainRefused = z.infer<typeof chainRefused>
