// Cancels and modifies: intents of their own kind, of one of our orders or of one placed elsewhere.
import { z } from 'zod'
import { accountId } from './accounts.ts'
import { brokerOrder } from './orders.ts'
import { price } from './place-order.ts'

export const CHANGE_STATES = [
  'QUEUED',
  'SENDING',
  'UNKNOWN',
  'ACCEPTED',
  'DONE',
  'REJECTED',
  'EXPIRED',
  'REFUSED',
  'RELEASED',
] as const
export const changeState = z.enum(CHANGE_STATES).meta({
  id: 'OrderChangeState',
  description:
    'ACCEPTED: the broker took it. DONE: nothing of what was to be cancelled is open any more. REFUSED: not sent. ' +
    'RELEASED: a modify in doubt that the order book has not shown for 90 s',
})
export type ChangeState = z.infer<typeof changeState>
export type ChangeKind = 'cancel' | 'modify'

/**
 * Every transition of a change, and no other. A cancel may be sent again after a read that shows its order open, and
 * one that was DONE begins again when another order of its intent turns up.
 */
export const CHANGE_TRANSITIONS: Record<ChangeKind, Record<ChangeState, readonly ChangeState[]>> = {
  cancel: {
    QUEUED: ['SENDING', 'DONE', 'REFUSED', 'UNKNOWN', 'ACCEPTED', 'REJECTED'],
    SENDING: ['ACCEPTED', 'UNKNOWN', 'QUEUED', 'REJECTED'],
    UNKNOWN: ['SENDING', 'DONE', 'ACCEPTED', 'QUEUED', 'REJECTED'],
    ACCEPTED: ['SENDING', 'DONE'],
    DONE: ['QUEUED'],
    REJECTED: [],
    EXPIRED: [],
    REFUSED: [],
    RELEASED: [],
  },
  modify: {
    // The last three: a sending whose claim the database has lost, settled by the process that sent.
    QUEUED: ['SENDING', 'EXPIRED', 'REFUSED', 'UNKNOWN', 'ACCEPTED', 'REJECTED'],
    SENDING: ['ACCEPTED', 'UNKNOWN', 'QUEUED', 'REJECTED'],
    UNKNOWN: ['ACCEPTED', 'REJECTED', 'QUEUED', 'RELEASED'],
    ACCEPTED: [],
    DONE: [],
    REJECTED: [],
    EXPIRED: [],
    REFUSED: [],
    RELEASED: [],
  },
}

/** States in which a caller may wait for more. */
export const PENDING_CHANGE_STATES: Record<ChangeKind, readonly ChangeState[]> = {
  cancel: ['QUEUED', 'SENDING', 'UNKNOWN', 'ACCEPTED'],
  modify: ['QUEUED', 'SENDING', 'UNKNOWN'],
}

/** The broker's own limit for one order; after it, cancel and place anew (KITE.md 2.2). */
export const MODIFICATIONS_PER_ORDER_MAX = 25

const MODIFIED_FIELDS = [
  'order_type',
  'quantity',
  'price',
  'trigger_price',
  'disclosed_quantity',
  'validity',
  'market_protection',
] as const

export const modifyOrder = z
  .strictObject({
    order_type: z.enum(['MARKET', 'LIMIT', 'SL', 'SL-M']).optional(),
    quantity: z.int().min(1).max(100_000_000).optional().meta({
      description:
        'The broker does not document whether this is the whole or what remains: state it only to change it',
    }),
    price: price.optional(),
    trigger_price: price.optional(),
    disclosed_quantity: z.int().min(0).optional(),
    validity: z.enum(['DAY', 'IOC']).optional(),
    market_protection: z
      .number()
      .min(-1)
      .max(100)
      .optional()
      .meta({ description: 'With order_type MARKET or SL-M; default -1, the automatic band' }),
    expires_in_s: z.int().min(1).max(300).default(30).meta({ description: 'Not sent by then: EXPIRED' }),
  })
  .superRefine((change, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (MODIFIED_FIELDS.every((field) => change[field] === undefined))
      refuse('', `state what changes: one or more of ${MODIFIED_FIELDS.join(', ')}`)
    const { order_type: orderType } = change
    const market = orderType === 'MARKET' || orderType === 'SL-M'
    if (change.market_protection !== undefined && !market)
      refuse('market_protection', 'only with order_type MARKET or SL-M')
    if (change.market_protection === 0)
      refuse('market_protection', 'the broker refuses 0: use -1 or a percentage')
    if (change.price !== undefined && market) refuse('price', `not allowed for order_type ${orderType}`)
    if (change.trigger_price !== undefined && (orderType === 'MARKET' || orderType === 'LIMIT'))
      refuse('trigger_price', `not allowed for order_type ${orderType}`)
    if (
      change.disclosed_quantity !== undefined &&
      change.quantity !== undefined &&
      change.disclosed_quantity > change.quantity
    )
      refuse('disclosed_quantity', 'at most the quantity')
  })
  .meta({ id: 'ModifyOrder', description: 'Only what changes; the rest of the order stays as it is' })
export type ModifyOrder = z.infer<typeof modifyOrder>

export const orderChange = z
  .object({
    id: z.string().meta({ example: 'chg_01931c9fd2e27b3cb1f2' }),
    account_id: accountId,
    kind: z.enum(['cancel', 'modify']),
    order_id: z.string().nullable().meta({ description: 'Our order; null for one placed elsewhere' }),
    broker_order_id: z
      .string()
      .nullable()
      .meta({ description: "The broker's order; null: whatever our order is or becomes at the broker" }),
    fields: modifyOrder.nullable().meta({ description: 'What a modify changes' }),
    state: changeState,
    reason_code: z.string().nullable(),
    reason: z.string().nullable(),
    deadline: z.string().nullable(),
    broker_orders: z.array(brokerOrder).meta({ description: 'As last seen at the broker' }),
    paper: z.boolean().meta({ description: 'Of a paper account' }),
    synthetic: z.boolean(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'OrderChange' })
export type OrderChange = z.infer<typeof orderChange>
