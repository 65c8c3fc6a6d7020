// The calendar as it is known now. Read with each request: a holiday declared at 08:00 must not wait for a cache.
import {
  CALENDAR_DATA,
  createMarketCalendar,
  type MarketCalendar,
  STORED_CALENDAR_SQL,
  storedCalendar,
  withStored,
} from '@ticker/shared/market-calendar'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Database } from '../database.ts'

export interface KnownCalendar {
  calendar: MarketCalendar
  /** The last day whose holidays are known. */
  knownUntil: string
}

export async function readCalendar(db: Database): Promise<KnownCalendar> {
  const [row] = await db.rows(z.object({ calendar: storedCalendar }), sql.raw(STORED_CALENDAR_SQL))
  const data = row ? withStored(CALENDAR_DATA, row.calendar) : CALENDAR_DATA
  return { calendar: createMarketCalendar(() => data), knownUntil: data.knownUntil }
}
