// Good-till-triggered orders (KITE.md 5.5): the broker keeps them for a year and places their LIMIT order when the price gets
// there. Triggered is not executed: the order has a life of its own.
import { z } from 'zod'
import { expiresInS, writeFields } from './account-writes.ts'
import { accountId } from './accounts.ts'
import { exchange } from './instruments.ts'
import { brokerOrder } from './orders.ts'
import { price } from './place-order.ts'
import { storedText } from './text.ts'

/** The broker's own limit. */
export const GTTS_ACTIVE_MAX = 500
export const GTT_STATUSES = [
  'active',
  'triggered',
  'disabled',
  'expired',
  'cancelled',
  'rejected',
  'deleted',
] as const

export const gttType = z.enum(['single', 'two-leg']).meta({
  description: 'two-leg: one cancels the other (a stop-loss and a target)',
})

const gttOrder = z.strictObject({
  transaction_type: z.enum(['BUY', 'SELL']),
  quantity: z.int().min(1).max(100_000_000),
  product: z.enum(['CNC', 'NRML', 'MIS', 'MTF']),
  price: price.meta({ description: 'Of the LIMIT order that is placed: the broker takes no other' }),
})
export type GttOrder = z.infer<typeof gttOrder>

const shape = {
  type: gttType,
  exchange,
  tradingsymbol: storedText(100, 1),
  last_price: price.meta({ description: 'From which side a trigger is reached' }),
  trigger_values: z.array(price).min(1).max(2).meta({ description: 'Two legs: the lower, then the upper' }),
  orders: z.array(gttOrder).min(1).max(2).meta({ description: 'One of each trigger value' }),
  expires_in_s: expiresInS,
}

const checked = (
  gtt: Pick<z.infer<z.ZodObject<typeof shape>>, 'type' | 'trigger_values' | 'orders' | 'last_price'>,
  context: z.RefinementCtx,
) => {
  const refuse = (path: string, message: string) =>
    context.addIssue({ code: 'custom', path: [path], message })
  const legs = gtt.type === 'single' ? 1 : 2
  const { trigger_values: triggers, last_price: last } = gtt
  if (triggers.length !== legs) refuse('trigger_values', `${legs} for type ${gtt.type}`)
  if (gtt.orders.length !== legs) refuse('orders', `${legs} for type ${gtt.type}`)
  const [first = 0, second] = triggers
  if (second === undefined) {
    if (first === last) refuse('trigger_values', 'not the last price')
  } else if (!(first < last && last < second))
    refuse('trigger_values', 'the lower must be below last_price, the upper above it')
}

export const placeGtt = z
  .strictObject({ account_id: accountId, ...shape })
  .superRefine(checked)
  .meta({ id: 'PlaceGtt' })
export type PlaceGtt = z.infer<typeof placeGtt>

/** What is stored of a place or a modify. */
export const storedGtt = z.object(shape).omit({ expires_in_s: true })
export type StoredGtt = z.infer<typeof storedGtt>

export const gttWrite = z
  .object({
    id: z.string().meta({ example: 'gtw_01931c9fd2e27b3cb1f2' }),
    account_id: accountId,
    kind: z.enum(['gtt_place', 'gtt_modify', 'gtt_delete']),
    trigger_id: z.string().nullable().meta({ description: "The broker's; of a place: once it is known" }),
    request: storedGtt.nullable().meta({ description: 'null: of a delete' }),
    ...writeFields,
  })
  .meta({ id: 'GttWrite', description: 'A place, modify or delete of a GTT' })
export type GttWrite = z.infer<typeof gttWrite>

/** What came of an order of a triggered GTT, in the broker's words. */
export const gttResult = z.object({
  status: z
    .string()
    .nullable()
    .meta({ description: 'success: an order was placed. failed: see rejection_reason' }),
  order_id: z.string().nullable(),
  rejection_reason: z.string().nullable(),
})

export const gtt = z
  .object({
    id: z.string().meta({ description: "The broker's trigger id" }),
    account_id: accountId,
    status: z.string().meta({ description: `The broker's words: ${GTT_STATUSES.join(', ')}` }),
    type: z.string(),
    exchange: z.string(),
    tradingsymbol: z.string(),
    last_price: z.number().nullable().meta({ description: 'When it was placed or modified' }),
    trigger_values: z.array(z.number()),
    orders: z.array(
      z.object({
        transaction_type: z.string(),
        quantity: z.int(),
        product: z.string(),
        price: z.number(),
        result: gttResult.nullable().meta({ description: 'null: it was not triggered' }),
      }),
    ),
    broker_orders: z.array(brokerOrder).meta({ description: 'The orders that it became, as last seen' }),
    write_id: z.string().nullable().meta({ description: 'What placed it here; null: placed elsewhere' }),
    created_at: z.string().nullable(),
    updated_at: z.string().nullable(),
    expires_at: z.string().nullable(),
    seen_at: z.string().meta({ description: "When the broker's list last showed it" }),
    paper: z.boolean().meta({ description: 'Of a paper account' }),
    synthetic: z.boolean(),
  })
  .meta({ id: 'Gtt' })
export type Gtt = z.infer<typeof gtt>
