// Which contracts end when: from the dump, the one place that knows; the calendar only says whether the day trades.
import { calendarDate, exchange, expiry, istDay, storedText } from '@ticker/shared/domain'
import type { MarketCalendar } from '@ticker/shared/market-calendar'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, pageOf, pageQuery } from '../http/pagination.ts'

export const expiryQuery = pageQuery.extend({
  exchange: exchange.optional(),
  name: storedText(100).optional().meta({ description: 'Exact name of the underlying', example: 'NIFTY' }),
  from: calendarDate.optional().meta({ description: 'Today in India when absent' }),
  to: calendarDate.optional().meta({ description: 'Up to and including' }),
})
export type ExpiryQuery = z.output<typeof expiryQuery>

const row = expiry.omit({ trading: true, unconfirmed: true })

/** By expiry, exchange, name. */
export async function listExpiries(call: Call, calendar: MarketCalendar, query: ExpiryQuery) {
  const after = decodeCursor(query.cursor, z.tuple([calendarDate, cursorText, cursorText]))
  const from = query.from ?? istDay(call.deps.clock.nowMs())
  const conditions: SQL[] = [sql`i.is_active`, sql`i.expiry >= ${from}::date`]
  if (query.to) conditions.push(sql`i.expiry <= ${query.to}::date`)
  if (query.exchange) conditions.push(sql`i.exchange = ${query.exchange}`)
  if (query.name) conditions.push(sql`i.name = ${query.name}`)
  if (after)
    conditions.push(sql`(i.expiry, i.exchange, i.name) > (${after[0]}::date, ${after[1]}, ${after[2]})`)
  const rows = await call.deps.db.rows(
    row,
    sql`select i.exchange, i.name, i.expiry::text as expiry,
        (count(*) filter (where i.instrument_type = 'FUT'))::int as futures,
        (count(*) filter (where i.instrument_type in ('CE', 'PE')))::int as options
      from ticker.instruments i where ${sql.join(conditions, sql` and `)}
      group by i.expiry, i.exchange, i.name
      order by i.expiry, i.exchange, i.name limit ${query.limit + 1}`,
  )
  const found = rows.map((each) => {
    const day = calendar.day(each.exchange, each.expiry)
    return { ...each, trading: day.phases.some(({ phase }) => phase === 'open'), unconfirmed: !day.confirmed }
  })
  return pageOf(found, query.limit, (each) => [each.expiry, each.exchange, each.name])
}
