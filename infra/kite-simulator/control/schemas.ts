// Bodies of the control API. Unknown fields are refused: a misspelt fault would otherwise test nothing.
import { z } from 'zod'
import { CALENDAR_MODES } from '../calendar/market.ts'
import { MARKET_SEGMENTS } from '../calendar/segments.ts'
import { CONDUCTS } from '../prices/conduct.ts'

export const userSchema = z.strictObject({
  user_id: z.string().regex(/^[A-Za-z0-9_-]{1,50}$/),
  api_key: z.string().min(1).max(100),
  api_secret: z.string().min(1).max(100),
  user_name: z.string().max(100).optional(),
  redirect_url: z.url().optional(),
  postback_url: z.url().optional(),
  balance: z.number().nonnegative().optional(),
  holdings: z
    .array(
      z.strictObject({
        exchange: z.enum(['NSE', 'BSE']),
        tradingsymbol: z.string().min(1).max(50),
        quantity: z.number().int().positive(),
        average_price: z.number().positive(),
        needs_authorisation: z.boolean().optional(),
      }),
    )
    .max(1_000)
    .optional(),
  mutual_funds: z
    .array(
      z.strictObject({
        tradingsymbol: z.string().min(1).max(20),
        fund: z.string().min(1).max(100),
        quantity: z.number().positive(),
        average_price: z.number().positive(),
        last_price: z.number().positive(),
        sip_amount: z.number().positive(),
      }),
    )
    .max(100)
    .optional(),
  access_token: z.string().min(8).max(100).optional(),
})

export const userChangeSchema = userSchema.pick({ redirect_url: true, postback_url: true, balance: true })

export const loginSchema = z.strictObject({
  user_id: z.string(),
  /** `request_token` for the redirect's token, `session` to be logged in at once. */
  result: z.enum(['request_token', 'session']).default('session'),
})

export const clockSchema = z
  .strictObject({
    set: z.iso.datetime({ offset: true }).optional(),
    offset_ms: z.number().optional(),
    speed: z.number().positive().max(10_000).optional(),
  })
  .refine((body) => body.set === undefined || body.offset_ms === undefined, 'either `set` or `offset_ms`')

export const replaySchema = z
  .strictObject({
    path: z.string().optional(),
    paths: z.array(z.string()).max(100).optional(),
    speed: z.number().positive().max(1_000_000).default(1),
    start: z.enum(['now', 'on_subscribe', 'when_told']).default('now'),
  })
  .refine((body) => (body.path === undefined) !== (body.paths === undefined), 'either `path` or `paths`')

export const frameSchema = z.strictObject({
  user_id: z.string(),
  type: z.enum(['error', 'message']),
  data: z.string().max(1_000),
})

export const marketSchema = z
  .strictObject({
    calendar: z.enum(CALENDAR_MODES).optional(),
    halt: z.boolean().optional(),
    /** All when absent. */
    segments: z.array(z.enum(MARKET_SEGMENTS)).min(1).optional(),
  })
  .refine((body) => body.calendar !== undefined || body.halt !== undefined, '`calendar` or `halt`')

export const conductSchema = z.strictObject({
  tokens: z.array(z.number().int().positive()).min(1).max(9_000),
  conduct: z.enum(CONDUCTS),
})

export const priceSchema = z.strictObject({
  token: z.number().int().positive(),
  price: z.number().positive().max(1e7),
})

export const RATE_MAX = 5_000_000

export const rateSchema = z
  .strictObject({
    ticks_per_s: z.number().positive().max(RATE_MAX),
    interval_ms: z.number().int().min(5).max(1_000).default(10),
    for_ms: z.number().int().positive().optional(),
    user_id: z.string().optional(),
    socket: z.union([z.string(), z.number().int().min(1).max(3)]).optional(),
  })
  .refine((body) => typeof body.socket !== 'number' || body.user_id !== undefined, {
    error: 'a socket by its number needs the `user_id` whose socket it is',
  })

/** What a user holds overnight. */
export const carriedSchema = z.strictObject({
  user_id: z.string(),
  positions: z
    .array(
      z.strictObject({
        exchange: z.string().min(1).max(10),
        tradingsymbol: z.string().min(1).max(50),
        product: z.enum(['NRML', 'MTF']).default('NRML'),
        quantity: z
          .number()
          .int()
          .refine((quantity) => quantity !== 0, 'not 0'),
        average_price: z.number().positive(),
      }),
    )
    .max(1_000),
})

/** An order as the user places it on the broker's own site. */
export const ownOrderSchema = z.strictObject({
  user_id: z.string(),
  variety: z.string().default('regular'),
  form: z.record(z.string(), z.string()),
})
