// What an account, or a strategy of it, may order at most, and what the gate made of an order (RELIABILITY orders 10).
import { z } from 'zod'
import { accountAnswer } from './account-answer.ts'
import { accountId } from './accounts.ts'

export const strategy = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,50}$/, '1-50 of letters, digits, _ and -')
  .meta({ description: 'Yours to name; limits and profit are by strategy too' })

const rupees = z.number().positive().max(1e12)
const limits = {
  max_order_value: rupees.nullable().default(null).meta({
    description: 'Rupees: quantity × price (the last tick for MARKET) × multiplier',
  }),
  max_order_quantity: z.int().min(1).nullable().default(null),
  max_orders_a_day: z.int().min(1).nullable().default(null).meta({ description: 'Sent since 00:00 IST' }),
  max_daily_loss: rupees.nullable().default(null).meta({
    description:
      "Rupees. Of the account: the worse of the broker's figure and ours; of a strategy: ours, of its own fills today",
  }),
  max_price_deviation_percent: z.number().positive().max(100).nullable().default(null).meta({
    description: 'Of a price from the last tick; for exits too',
  }),
  mis_entries_until: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'hh:mm of the day in India')
    .nullable()
    .default(null)
    .meta({
      description:
        "hh:mm IST: no new intraday (MIS) positions from then on. The broker's own cut-off always holds",
    }),
  no_entries_on_expiry_day: z.boolean().nullable().default(null).meta({
    description: 'true: no new positions in contracts that expire today',
  }),
}

export const riskLimitsPut = z
  .strictObject({
    account_id: accountId,
    strategy: strategy.optional().meta({ description: 'Absent: of the whole account' }),
    ...limits,
  })
  .meta({ id: 'RiskLimitsPut', description: 'null: no such limit. What is left out is null' })
export type RiskLimitsPut = z.infer<typeof riskLimitsPut>

export const riskLimits = z
  .object({ account_id: accountId, strategy: z.string().nullable(), ...limits, updated_at: z.string() })
  .meta({ id: 'RiskLimits' })
export type RiskLimits = z.infer<typeof riskLimits>

/** What the gate decided on an order, with everything it looked at. */
export const riskDecision = z
  .object({
    allowed: z.boolean(),
    exit: z.boolean().meta({ description: 'It only reduces a position; null inputs below were not needed' }),
    code: z.string().nullable(),
    reason: z.string().nullable(),
    inputs: z.object({
      trading_state: z.string(),
      orders_today: z.int(),
      strategy_orders_today: z.int().nullable(),
      price: z.number().nullable(),
      last_price: z.number().nullable(),
      multiplier: z.number().nullable(),
      value: z.number().nullable(),
      day_pnl: z.number().nullable(),
      strategy_day_pnl: z.number().nullable().default(null),
      reducible_quantity: z.int().nullable(),
    }),
  })
  .meta({ id: 'RiskDecision' })
export type RiskDecision = z.infer<typeof riskDecision>

export const dryRun = z
  .object({ ...accountAnswer, decision: riskDecision })
  .meta({ id: 'OrderDryRun', description: 'What would be decided now; nothing is stored or sent' })
export type DryRun = z.infer<typeof dryRun>
