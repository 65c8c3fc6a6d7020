import { z } from 'zod'
import { accountId } from './accounts.ts'
import { exchange, instrumentToken } from './instruments.ts'
import { mode } from './subscriptions.ts'
import { underlyingOf } from './symbol-aliases.ts'
import { storedText } from './text.ts'

export const STRIKES_EACH_SIDE_MAX = 50
export const EXPIRIES_MAX = 8
export const LADDERS_PER_OWNER_MAX = 50
/** Strikes that left the band stay a while, at most so many of each expiry and type: the rest leaves at once. */
export const KEPT_STRIKES_MAX = 6

export const optionType = z.enum(['CE', 'PE'])
export type OptionType = z.infer<typeof optionType>

/** Names hold & and - as the exchanges' do, so that an underlying can be an id. */
export const strikeLadderId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9_.&-]{0,49}$/, 'a ladder id is 1-50 of letters, digits and _ . & -')
  .meta({
    description: 'Chosen by you; unless the body names an underlying, it is the underlying',
    example: 'NIFTY',
  })

export const strikeLadderPut = z
  .strictObject({
    underlying: storedText(100, 1).transform(underlyingOf).optional().meta({
      description:
        "`name` of its options in the dump, its index or share, or an alias of it; the ladder's id when absent",
      example: 'NIFTY',
    }),
    exchange: exchange
      .optional()
      .meta({ description: 'Where the options trade; needed when that is more than one', example: 'NFO' }),
    strikes: z
      .int()
      .min(0)
      .max(STRIKES_EACH_SIDE_MAX)
      .meta({ description: 'Listed strikes on each side of the one at the money', example: 10 }),
    expiries: z.int().min(1).max(EXPIRIES_MAX).default(1).meta({ description: 'The nearest so many' }),
    option_types: z
      .array(optionType)
      .min(1)
      .max(2)
      .refine((types) => new Set(types).size === types.length, 'each type once')
      .default(['CE', 'PE']),
    futures: z
      .boolean()
      .default(false)
      .meta({ description: 'Also, for each of the expiries, the future that expires then or next after it' }),
    mode: mode.default('full'),
    account_id: accountId
      .optional()
      .meta({ description: 'Pin to this account; absent: spread by the data plane' }),
  })
  .meta({ id: 'StrikeLadderPut' })

/** Why a ladder stands still. */
export const strikeLadderReason = z
  .enum(['not_served', 'no_options', 'no_underlying', 'no_spot', 'spot_stale'])
  .meta({
    id: 'StrikeLadderReason',
    description: [
      '`not_served`: no instance streams its underlying (no account logged in, or no room)',
      '`no_options`: the dump lists no live option of it',
      '`no_underlying`: the dump lists nothing that gives its price',
      '`no_spot`: no tick of the underlying yet',
      '`spot_stale`: the last tick is too old, or its socket is down',
    ].join('; '),
  })
export type StrikeLadderReason = z.infer<typeof strikeLadderReason>

const price = z.number()

export const strikeLadder = z
  .object({
    id: z.string(),
    underlying: z.string(),
    exchange,
    strikes: z.int(),
    expiries: z.int(),
    option_types: z.array(optionType),
    futures: z.boolean(),
    mode,
    account_id: accountId.nullable(),
    instruments_max: z
      .int()
      .meta({ description: 'The most instruments it can need at once; counts against your limit' }),
    state: z
      .object({
        atm: price.nullable().meta({ description: 'Of the nearest expiry; null until the first spot' }),
        expiries: z.array(z.object({ expiry: z.string(), atm: price })),
        spot: z
          .object({ instrument: z.string(), price, at: z.string(), age_ms: z.int() })
          .nullable()
          .meta({ description: 'The price last looked at' }),
        reason: strikeLadderReason
          .nullable()
          .meta({ description: 'Why it does not follow the spot; null: it does' }),
        moves: z.int().meta({ description: 'Times the money moved since the underlying was set' }),
        moved_at: z.string().nullable(),
        instruments: z.int().meta({ description: 'Subscribed for it at present' }),
      })
      .meta({ id: 'StrikeLadderState' }),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'StrikeLadder' })
export type StrikeLadder = z.infer<typeof strikeLadder>

export const strikeLadderPutResult = strikeLadder
  .extend({ warnings: z.array(z.string()) })
  .meta({ id: 'StrikeLadderPutResult' })

export const strikeLadderDetail = strikeLadder
  .extend({
    instruments: z
      .array(
        z.object({
          instrument_token: instrumentToken,
          exchange,
          tradingsymbol: z.string(),
          expiry: z.string().nullable(),
          strike: price,
          instrument_type: z.string(),
        }),
      )
      .meta({ description: 'Subscribed for it at present: underlying, futures, options' }),
  })
  .meta({ id: 'StrikeLadderDetail' })

/** Two for the spot (the underlying, and the future that stands in for it), then each expiry's options and future. */
export function ladderInstrumentsMax(ladder: {
  strikes: number
  expiries: number
  option_types: readonly OptionType[]
  futures: boolean
}): number {
  const options = ladder.option_types.length * (2 * ladder.strikes + 1 + KEPT_STRIKES_MAX)
  return 2 + ladder.expiries * (options + (ladder.futures ? 1 : 0))
}
