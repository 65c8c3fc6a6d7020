// What accounts may order.
import { boolean, integer, numeric, primaryKey, text } from 'drizzle-orm/pg-core'
import { accounts } from './accounts.ts'
import { at, now, ticker } from './ticker.ts'

/** What an account may order at most; strategy '' is the whole account. */
export const riskLimits = ticker.table(
  'risk_limits',
  {
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'cascade' }),
    strategy: text('strategy').notNull().default(''),
    max_order_value: numeric('max_order_value', { precision: 18, scale: 4 }),
    max_order_quantity: integer('max_order_quantity'),
    max_orders_a_day: integer('max_orders_a_day'),
    max_daily_loss: numeric('max_daily_loss', { precision: 18, scale: 4 }),
    max_price_deviation_percent: numeric('max_price_deviation_percent', { precision: 7, scale: 4 }),
    /** hh:mm IST. */
    mis_entries_until: text('mis_entries_until'),
    no_entries_on_expiry_day: boolean('no_entries_on_expiry_day'),
    updated_at: at('updated_at').notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.account_id, table.strategy] })],
)
