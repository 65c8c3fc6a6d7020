// Orders that belong together: which goes out when, and what is done with the others when one fails.
import { z } from 'zod'
import { accountId } from './accounts.ts'
import { order } from './orders.ts'
import { placeOrder } from './place-order.ts'

export const BATCH_LEGS_MAX = 20
/** Of an account; its owner looks at all of them on every pass. */
export const BATCHES_LIVE_MAX = 100
export const BATCH_STATES = ['RUNNING', 'STOPPING', 'DONE', 'STOPPED'] as const
export type BatchState = (typeof BATCH_STATES)[number]

export const batchUnwind = z.enum(['none', 'cancel_open', 'square_off']).meta({
  description:
    'When it stops: leave what was sent; cancel what is open; or cancel, then reverse what was filled, sold legs first',
})
export type BatchUnwind = z.infer<typeof batchUnwind>

const batchSequence = z.enum(['all_at_once', 'one_by_one', 'hedge_first']).meta({
  description:
    'one_by_one: each is filled before the next is sent. hedge_first: all BUY legs are filled before a SELL leg is sent',
})
export type BatchSequence = z.infer<typeof batchSequence>

export const placeBatch = z
  .strictObject({
    legs: z.array(placeOrder).min(1).max(BATCH_LEGS_MAX),
    sequence: batchSequence.default('all_at_once'),
    unwind: batchUnwind.default('none'),
    check_margin: z.boolean().default(true).meta({
      description: "Refused if the account's funds do not cover the broker's basket margin",
    }),
    fill_timeout_s: z
      .int()
      .min(1)
      .max(300)
      .default(30)
      .meta({ description: 'A leg that others wait for and that is not filled by then stops the batch' }),
  })
  .superRefine(({ legs }, context) => {
    const refuse = (index: number, path: string, message: string) =>
      context.addIssue({ code: 'custom', path: ['legs', index, path], message })
    for (const [index, leg] of legs.entries()) {
      if (leg.account_id !== legs[0]?.account_id) refuse(index, 'account_id', 'all legs are of one account')
      if (leg.variety !== 'regular') refuse(index, 'variety', 'regular')
      if (leg.autoslice !== undefined) refuse(index, 'autoslice', 'not allowed: a leg is one order')
    }
  })
  .meta({ id: 'PlaceBatch' })
export type PlaceBatch = z.infer<typeof placeBatch>

export const batchMargin = z
  .object({
    initial: z.number().meta({ description: 'While the orders go out' }),
    final: z.number().meta({ description: 'Once all of them are positions' }),
    available: z.number().meta({ description: 'In the segment of the legs' }),
  })
  .meta({ id: 'BatchMargin', description: 'Rupees' })
export type BatchMargin = z.infer<typeof batchMargin>

export const batch = z
  .object({
    id: z.string().meta({ example: 'bat_01931c9fd2e27b3cb1f2' }),
    account_id: accountId,
    state: z.enum(BATCH_STATES).meta({
      description:
        'DONE: every leg was filled or is working. STOPPING: a leg failed or it was stopped, and it unwinds. STOPPED: it has ended so',
    }),
    reason_code: z
      .string()
      .nullable()
      .meta({ description: 'Of a stop: stop_requested, leg_failed, leg_unknown, leg_expired, fill_timeout' }),
    reason: z.string().nullable(),
    unwind: batchUnwind,
    unwind_failure: z
      .string()
      .nullable()
      .meta({ description: 'Positions of it are left, or may be: a person must look' }),
    request: placeBatch,
    margin: batchMargin.nullable(),
    legs: z.array(z.object({ order: order.nullable(), unwind: order.nullable() })).meta({
      description: 'As in the request: its order, null: not stored yet; and the one that reverses it',
    }),
    stop_requested_at: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Batch' })
export type Batch = z.infer<typeof batch>

/** Idempotency keys of what a batch stores: whoever stores it, and however often, it is there once. */
export const batchLegKey = (id: string, leg: number) => `batch:${id}:${leg}`
export const batchUnwindKey = (id: string, leg: number) => `${batchLegKey(id, leg)}:unwind`
export const batchCancelKey = (id: string, leg: number) => `${batchLegKey(id, leg)}:cancel`
