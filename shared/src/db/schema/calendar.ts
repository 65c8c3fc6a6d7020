// What an operator knows of the exchanges that this release does not: a holiday declared last night, hours of a session.
import { boolean, date, jsonb, primaryKey, text } from 'drizzle-orm/pg-core'
import { at, now, ticker } from './ticker.ts'

/** One day of one exchange; it takes the place of what the release says of that day. */
export const calendarDays = ticker.table(
  'calendar_days',
  {
    date: date('date', { mode: 'string' }).notNull(),
    exchange: text('exchange').notNull(),
    name: text('name').notNull(),
    /** [from, to, phase], IST 'hh:mm', in order; empty: closed all day. */
    spans: jsonb('spans')
      .$type<[from: string, to: string, phase: 'pre_open' | 'open' | 'closing_auction' | 'post_close'][]>()
      .notNull(),
    confirmed: boolean('confirmed').notNull(),
    source: text('source').notNull(),
    stored_by: text('stored_by').notNull(),
    stored_at: at('stored_at').notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.date, table.exchange] })],
)
