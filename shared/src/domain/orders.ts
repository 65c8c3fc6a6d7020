import { z } from 'zod'
import { accountId } from './accounts.ts'
import { exchange } from './instruments.ts'
import { storedText } from './text.ts'

export const INTENT_STATES = [
  'QUEUED',
  'SENDING',
  'ACCEPTED',
  'REJECTED',
  'UNKNOWN',
  'NEEDS_AUTHORISATION',
  'EXPIRED',
  'CANCELLED',
  'REFUSED',
  'RELEASED',
] as const
export const intentState = z.enum(INTENT_STATES).meta({ id: 'IntentState' })
export type IntentState = z.infer<typeof intentState>

/**
 * RELIABILITY 7, as a table: every transition that may happen, and no other. An order seen at the broker with our tag
 * makes any state ACCEPTED: seeing is stronger than what a database that lost its last commits, or a verdict, says.
 */
export const INTENT_TRANSITIONS: Record<IntentState, readonly IntentState[]> = {
  // The last three: a sending whose claim the database has lost, settled by the process that sent.
  QUEUED: [
    'SENDING',
    'EXPIRED',
    'CANCELLED',
    'REFUSED',
    'ACCEPTED',
    'UNKNOWN',
    'REJECTED',
    'NEEDS_AUTHORISATION',
  ],
  SENDING: ['ACCEPTED', 'REJECTED', 'UNKNOWN', 'NEEDS_AUTHORISATION', 'QUEUED'],
  // Besides being found or released: the late answer to the very attempt that is in doubt.
  UNKNOWN: ['ACCEPTED', 'RELEASED', 'REJECTED', 'NEEDS_AUTHORISATION', 'QUEUED'],
  RELEASED: ['ACCEPTED'],
  ACCEPTED: [],
  REJECTED: ['ACCEPTED'],
  NEEDS_AUTHORISATION: ['ACCEPTED'],
  EXPIRED: ['ACCEPTED'],
  // The last three as with QUEUED: cancelled while the database had lost the claim of a sending.
  CANCELLED: ['ACCEPTED', 'UNKNOWN', 'REJECTED', 'NEEDS_AUTHORISATION'],
  REFUSED: ['ACCEPTED'],
}

/** `orders.status_rank` of an order that is finished at the broker: COMPLETE, CANCELLED, REJECTED. */
export const TERMINAL_RANK = 9

export const CANCELLED_UNSENT = 'Cancelled before it was sent.'

/** States in which the outcome is not known yet and a caller may wait for more. */
export const PENDING_STATES: readonly IntentState[] = ['QUEUED', 'SENDING', 'UNKNOWN']

/** Rupees. */
export const price = z
  .number()
  .positive()
  .max(10_000_000)
  .refine((value) => Math.abs(Math.round(value * 10_000) / 10_000 - value) < 1e-9, 'at most 4 decimals')

export const placeOrder = z
  .strictObject({
    account_id: accountId,
    variety: z.enum(['regular']).default('regular'),
    exchange,
    tradingsymbol: storedText(100, 1),
    transaction_type: z.enum(['BUY', 'SELL']),
    quantity: z.int().min(1).max(100_000_000),
    product: z.enum(['CNC', 'NRML', 'MIS', 'MTF']),
    order_type: z.enum(['MARKET', 'LIMIT', 'SL', 'SL-M']),
    price: price.optional().meta({ description: 'Rupees; required for LIMIT and SL' }),
    trigger_price: price.optional().meta({ description: 'Rupees; required for SL and SL-M' }),
    validity: z.enum(['DAY', 'IOC', 'TTL']).default('DAY'),
    validity_ttl: z.int().min(1).max(1440).optional().meta({ description: 'Minutes; required for TTL' }),
    disclosed_quantity: z.int().min(0).optional(),
    market_protection: z.number().min(-1).max(100).optional().meta({
      description:
        'Percent, or -1 for the automatic band (default for MARKET and SL-M, which the broker refuses without)',
    }),
    tag: z
      .string()
      .max(20)
      .regex(/^[A-Za-z0-9]*$/, 'letters and digits')
      .optional(),
    expires_in_s: z.int().min(1).max(300).default(30).meta({ description: 'Not sent by then: EXPIRED' }),
  })
  .superRefine((order, context) => {
    const need = (field: 'price' | 'trigger_price' | 'validity_ttl', wanted: boolean, why: string) => {
      if (wanted !== (order[field] !== undefined)) {
        context.addIssue({
          code: 'custom',
          path: [field],
          message: `${wanted ? 'required' : 'not allowed'} for ${why}`,
        })
      }
    }
    need('price', order.order_type === 'LIMIT' || order.order_type === 'SL', `order_type ${order.order_type}`)
    need(
      'trigger_price',
      order.order_type === 'SL' || order.order_type === 'SL-M',
      `order_type ${order.order_type}`,
    )
    need('validity_ttl', order.validity === 'TTL', `validity ${order.validity}`)
    if ((order.disclosed_quantity ?? 0) > order.quantity)
      context.addIssue({ code: 'custom', path: ['disclosed_quantity'], message: 'at most the quantity' })
    const market = order.order_type === 'MARKET' || order.order_type === 'SL-M'
    if (order.market_protection === 0) {
      context.addIssue({
        code: 'custom',
        path: ['market_protection'],
        message: 'the broker refuses 0: use -1 or a percentage',
      })
    }
    if (!market && order.market_protection !== undefined) {
      context.addIssue({ code: 'custom', path: ['market_protection'], message: 'only for MARKET and SL-M' })
    }
  })
  .meta({ id: 'PlaceOrder' })
export type PlaceOrder = z.infer<typeof placeOrder>

/** The broker's own record of one order, merged from socket, postback and book. */
export const brokerOrder = z
  .object({
    order_id: z.string(),
    status: z
      .string()
      .meta({ description: "The broker's words: OPEN, COMPLETE, REJECTED, CANCELLED, TRIGGER PENDING …" }),
    status_message: z.string().nullable(),
    variety: z.string().nullable(),
    exchange: z.string(),
    tradingsymbol: z.string(),
    transaction_type: z.string(),
    product: z.string().nullable(),
    order_type: z.string().nullable().meta({ description: 'A protected MARKET order is shown as LIMIT' }),
    validity: z.string().nullable(),
    quantity: z.int(),
    price: z.number().nullable(),
    trigger_price: z.number().nullable(),
    filled_quantity: z.int(),
    average_price: z.number(),
    broker_updated_at: z.string(),
  })
  .meta({ id: 'BrokerOrder' })

/** One of the broker's orders of an account, whoever placed it. */
export const accountOrder = brokerOrder
  .extend({
    account_id: accountId,
    intent_id: z.string().nullable().meta({ description: 'Our order it came of; null: placed elsewhere' }),
    synthetic: z.boolean(),
  })
  .meta({ id: 'AccountOrder' })

export const order = z
  .object({
    id: z.string().meta({ description: 'Our intent', example: 'ord_01931c9fd2e27b3cb1f2' }),
    account_id: accountId,
    state: intentState,
    reason_code: z.string().nullable(),
    reason: z.string().nullable(),
    request: placeOrder,
    tag: z.string().nullable().meta({ description: "The caller's tag" }),
    broker_tag: z.string().meta({ description: 'The unique tag the broker sees' }),
    deadline: z.string(),
    cancel_requested_at: z.string().nullable(),
    broker_orders: z.array(brokerOrder),
    synthetic: z.boolean(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Order' })
export type Order = z.infer<typeof order>

export const orderEvent = z
  .object({
    seq: z.int().meta({ description: 'Per account, without gaps in what a cursor sees' }),
    kind: z.string().meta({ example: 'intent.queued' }),
    order_id: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()),
    at: z.string(),
  })
  .meta({ id: 'OrderEvent' })
export type OrderEvent = z.infer<typeof orderEvent>
