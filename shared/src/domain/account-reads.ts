// What the control plane asks the owner of an account to read at the broker, and why it may have no answer.
import { z } from 'zod'
import { accountId } from './accounts.ts'
import { holdingsToAuthorise } from './holdings-authorisation.ts'
import { VALUED_ORDERS_MAX, valuedOrder } from './margins.ts'
import { placeOrder } from './place-order.ts'

/** An intent has as many broker orders at most. */
export const TRADES_ORDERS_MAX = 100

/** Instruments of one question for the triggers of cover orders. */
export const TRIGGER_RANGES_MAX = 100

const orders = z.array(valuedOrder).min(1).max(VALUED_ORDERS_MAX)

export const accountReading = z.discriminatedUnion('read', [
  z.strictObject({ read: z.literal('positions') }),
  z.strictObject({ read: z.literal('pnl') }),
  z.strictObject({ read: z.literal('holdings') }),
  z.strictObject({ read: z.literal('funds') }),
  z.strictObject({
    read: z.literal('trades'),
    /** Of these orders alone; absent: all of today. */
    order_ids: z.array(z.string()).max(TRADES_ORDERS_MAX).optional(),
  }),
  z.strictObject({ read: z.literal('fund_holdings') }),
  z.strictObject({ read: z.literal('fund_orders') }),
  z.strictObject({ read: z.literal('fund_sips') }),
  /** What was bought and sold of one fund. */
  z.strictObject({ read: z.literal('fund_trades'), isin: z.string() }),
  z.strictObject({ read: z.literal('fund_allotments') }),
  z.strictObject({ read: z.literal('auctions') }),
  /** Nothing is authorised by it: it makes the request that a person may grant. */
  z.strictObject({ read: z.literal('authorisation'), holdings: holdingsToAuthorise.optional() }),
  z.strictObject({
    read: z.literal('trigger_ranges'),
    transaction_type: z.enum(['buy', 'sell']),
    instruments: z.array(z.string()).min(1).max(TRIGGER_RANGES_MAX),
  }),
  z.strictObject({ read: z.literal('margins'), orders }),
  z.strictObject({ read: z.literal('basket_margins'), orders, consider_positions: z.boolean() }),
  z.strictObject({ read: z.literal('charges'), orders }),
  /** The states that one of the broker's orders went through. */
  z.strictObject({ read: z.literal('order_history'), order_id: z.string() }),
  /** What the risk gate would decide on it now. */
  z.strictObject({ read: z.literal('risk_decision'), order: placeOrder }),
])
export type AccountReading = z.infer<typeof accountReading>

export const accountRead = z.strictObject({
  owner: z.string(),
  account_id: accountId,
  reading: accountReading,
})
export type AccountRead = z.infer<typeof accountRead>

export const accountReadRefused = z.object({
  refusal: z.enum([
    /** Not logged in, or the broker has just ended the session. */
    'session_inactive',
    /** No turn in time, or the broker said it was too much. */
    'budget_exhausted',
    'broker_refused',
    'broker_unreachable',
    /** A MARKET order of which no tick is live for the owner: nothing was asked. */
    'price_unknown',
    /** This instance does not have the account (any more). */
    'not_owned',
  ]),
  /** The broker's words, or the instrument without a price. */
  detail: z.string().nullable(),
})
export type AccountReadRefused = z.infer<typeof accountReadRefused>

/** The answer, in the shape of what was read. */
export function accountReadAnswer<T>(shape: z.ZodType<T>) {
  return z.union([accountReadRefused, z.object({ answer: shape })])
}
