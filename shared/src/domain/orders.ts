import { z } from 'zod'
import { accountId } from './accounts.ts'
import { placeOrder } from './place-order.ts'

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

/**
 * SQL: whether the row `o` of ticker.orders is open as far as we know. An order is of one day, whether or not its end was
 * seen; one that was taken after hours waits for the next session, at most over a long weekend.
 */
export const openOrderSql = (o: string) => `(${o}.status_rank < ${TERMINAL_RANK} and (
  ${o}.updated_at >= date_trunc('day', now() at time zone 'Asia/Kolkata') at time zone 'Asia/Kolkata'
  or (${o}.status = 'AMO REQ RECEIVED' and ${o}.updated_at > now() - interval '7 days')))`

/**
 * SQL: whether the intent `i` may have more orders at the broker than we have seen. Slices: those that we have are of less than
 * its quantity, and refusals do not explain that. An iceberg: so are its legs, none is open, and none ended otherwise than
 * filled. A cover order: its entry has filled, and the order that covers it is not there. Not once a quantity was modified.
 */
export const ordersMissingSql = (i: string) => `(select case
    when (${i}.request->>'autoslice')::boolean is true
      then (coalesce(jsonb_array_length(${i}.slices->'refused'), 0) = 0 or jsonb_array_length(${i}.slices->'in_doubt') > 0)
        and coalesce(sum(m.quantity), 0) < (${i}.request->>'quantity')::bigint and not ${quantityModifiedSql(i)}
    when ${i}.request->>'variety' = 'iceberg'
      then count(*) > 0 and bool_and(m.status = 'COMPLETE')
        and sum(m.quantity) < (${i}.request->>'quantity')::bigint and not ${quantityModifiedSql(i)}
    when ${i}.request->>'variety' = 'co' then count(*) = 1 and bool_or(m.filled_quantity > 0)
    else false end
  from ticker.orders m where m.intent_id = ${i}.id)`

/** By us, or, where we have modified nothing, by whoever did: what the book says of that is lost with the next update. */
const quantityModifiedSql = (i: string) => `case
  when exists (select from ticker.order_changes c where c.intent_id = ${i}.id and c.kind = 'modify'
    and c.state in ('SENDING', 'UNKNOWN', 'ACCEPTED', 'RELEASED'))
  then exists (select from ticker.order_changes c where c.intent_id = ${i}.id and c.kind = 'modify'
    and c.state in ('SENDING', 'UNKNOWN', 'ACCEPTED', 'RELEASED') and c.fields::jsonb ? 'quantity')
  else coalesce(bool_or(m.broker_order->>'modified' = 'true'), false) end`

export const CANCELLED_UNSENT = 'Cancelled before it was sent.'

/** States in which the outcome is not known yet and a caller may wait for more. */
export const PENDING_STATES: readonly IntentState[] = ['QUEUED', 'SENDING', 'UNKNOWN']

/** The broker's own record of one order, merged from socket, postback and book. */
export const brokerOrder = z
  .object({
    order_id: z.string(),
    status: z
      .string()
      .meta({ description: "The broker's words: OPEN, COMPLETE, REJECTED, CANCELLED, TRIGGER PENDING …" }),
    status_message: z.string().nullable(),
    variety: z.string().nullable(),
    parent_order_id: z
      .string()
      .nullable()
      .meta({ description: 'Of a leg of an iceberg or cover order, or of a slice' }),
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
    paper: z.boolean().meta({ description: 'Of a paper account' }),
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
    broker_order_id: z.string().nullable().meta({ description: 'Of the first of its orders there' }),
    broker_orders: z.array(brokerOrder),
    slices: z
      .object({
        refused: z.array(z.string()).meta({ description: "Not placed, in the broker's words" }),
        in_doubt: z.array(z.string()).meta({ description: 'May be at the broker all the same' }),
      })
      .nullable()
      .meta({
        description: 'Of an order that the broker cut: what it said of the slices without an order id',
      }),
    not_seen_since: z.string().nullable().meta({
      description: 'Of an UNKNOWN one: since when the broker’s whole book was read without it',
    }),
    requeue_of: z.string().nullable().meta({ description: 'The order that was placed anew with this one' }),
    sliced_order_id: z.string().nullable().meta({ description: 'The sliced order that this is a slice of' }),
    batch_id: z.string().nullable().meta({ description: 'The batch that this is of' }),
    exit_id: z.string().nullable().meta({ description: 'The exit that this is of' }),
    paper: z.boolean().meta({ description: 'Of a paper account' }),
    synthetic: z.boolean(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Order' })
export type Order = z.infer<typeof order>
