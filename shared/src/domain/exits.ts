// What closes positions: marketable limit orders, one at a time for each position, re-priced until they are filled.
import { z } from 'zod'
import { accountId } from './accounts.ts'
import { exchange } from './instruments.ts'
import { order } from './orders.ts'
import { placeOrder } from './place-order.ts'
import { storedText } from './text.ts'

export const EXIT_LEGS_MAX = 200
export const EXIT_STATES = ['RUNNING', 'STOPPING', 'DONE', 'STOPPED'] as const
export type ExitState = (typeof EXIT_STATES)[number]

const { product, tag, strategy } = placeOrder.shape

const exitPosition = z.strictObject({
  exchange,
  tradingsymbol: storedText(100, 1),
  product,
  quantity: z
    .int()
    .min(1)
    .max(100_000_000)
    .optional()
    .meta({ description: 'Of what is held; absent, or more than that: all of it' }),
})

export const placeExit = z
  .strictObject({
    account_id: accountId,
    positions: z
      .array(exitPosition)
      .min(1)
      .max(EXIT_LEGS_MAX)
      .optional()
      .meta({ description: 'Absent: everything that the broker says is held' }),
    products: z
      .array(product)
      .min(1)
      .optional()
      .meta({ description: 'Of everything, these alone; not with `positions`' }),
    hedge_order: z.boolean().default(true).meta({
      description: 'Of one underlying, what is short is bought back before what is long is sold',
    }),
    cancel_open: z.boolean().default(false).meta({
      description:
        'Other open orders that would close the same position (a resting stop, say) are cancelled. Otherwise it waits for them',
    }),
    cross_percent: z.number().min(0).max(20).default(0.25).meta({
      description: 'Beyond the other side’s best price, one tick at least; as much again with each re-price',
    }),
    within_percent: z.number().positive().max(100).optional().meta({
      description:
        'No further than this from the last price. Default: options 40 % or 20 rupees, futures 2 %, all else 5 %. Circuit limits and the account’s own band hold in any case',
    }),
    reprice_every_s: z.int().min(1).max(60).default(5),
    reprices_max: z
      .int()
      .min(0)
      .max(200)
      .default(20)
      .meta({ description: 'Of one order, or those that replace it' }),
    alarm_after_s: z
      .int()
      .min(1)
      .max(3600)
      .default(60)
      .meta({ description: 'What is not closed by then raises an alarm' }),
    tag,
    strategy,
  })
  .superRefine(({ positions, products }, context) => {
    const refuse = (path: (string | number)[], message: string) =>
      context.addIssue({ code: 'custom', path, message })
    if (positions && products) refuse(['products'], 'not with positions: each names its product')
    const seen = new Set<string>()
    for (const [index, { exchange: of, tradingsymbol, product: as }] of (positions ?? []).entries()) {
      const name = `${of}:${tradingsymbol}:${as}`
      if (seen.has(name)) refuse(['positions', index], 'named twice')
      seen.add(name)
    }
  })
  .meta({ id: 'PlaceExit' })
export type PlaceExit = z.infer<typeof placeExit>

/** One position of an exit, as it was when the exit began; its quantity only ever shrinks. */
export const exitLegPlan = z.object({
  exchange,
  tradingsymbol: z.string(),
  product,
  transaction_type: z.enum(['BUY', 'SELL']),
  quantity: z.int().meta({ description: 'To be closed; 0: nothing of it is, or was, held' }),
  underlying: z.string().meta({ description: 'Legs of one underlying hedge each other' }),
})
export type ExitLegPlan = z.infer<typeof exitLegPlan>

export const exit = z
  .object({
    id: z.string().meta({ example: 'ext_01931c9fd2e27b3cb1f2' }),
    account_id: accountId,
    state: z.enum(EXIT_STATES).meta({
      description:
        'DONE: nothing of it is left. STOPPING: its open orders are cancelled. STOPPED: it has ended before that, and reason says why',
    }),
    reason_code: z
      .string()
      .nullable()
      .meta({ description: 'Of a stop: stop_requested, halted, leg_failed, too_many_positions' }),
    reason: z.string().nullable(),
    waiting: z
      .string()
      .nullable()
      .meta({ description: 'What keeps it from going on now: no price, an order in doubt, a closed gate' }),
    alarm_at: z
      .string()
      .nullable()
      .meta({ description: 'Something was not closed in time: a person must look' }),
    request: placeExit,
    legs: z
      .array(exitLegPlan.extend({ filled_quantity: z.int(), orders: z.array(order) }))
      .nullable()
      .meta({ description: 'null: the positions were not read yet' }),
    stop_requested_at: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Exit' })
export type Exit = z.infer<typeof exit>

/** Idempotency keys of what an exit stores: whoever stores it, and however often, it is there once. */
export const exitOrderKey = (id: string, leg: number, n: number) => `exit:${id}:${leg}:${n}`
export const exitCancelKey = (orderKey: string) => `${orderKey}:cancel`
export const exitRepriceKey = (orderKey: string, k: number) => `${orderKey}:reprice:${k}`
