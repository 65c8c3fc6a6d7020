// The calendar as it is known now: the release's, with what operators have stored over it, read anew when its version moves.
// While it cannot be read, what was known before holds.
import {
  CALENDAR_DATA,
  type CalendarData,
  STORED_CALENDAR_SQL,
  storedCalendar,
  withStored,
} from '@ticker/shared/market-calendar'
import type { Log } from '../operations/log.ts'
import type { Queries } from './desired.ts'

export interface KnownCalendar {
  data(): CalendarData
  /** To be called with every view; resolves when what moved is read. */
  look(version: number): Promise<void>
}

export function createKnownCalendar(deps: { db: Queries; log: Log }): KnownCalendar {
  const { db, log } = deps
  let data = CALENDAR_DATA
  /** Nothing was ever stored. */
  let known = 0
  let reading = false

  return {
    data: () => data,
    async look(version) {
      if (version === known || reading) return
      reading = true
      try {
        const { rows } = await db.query({ text: STORED_CALENDAR_SQL, rowMode: 'array' })
        const stored = storedCalendar.parse(Array.isArray(rows[0]) ? rows[0][0] : undefined)
        data = withStored(CALENDAR_DATA, stored)
        known = version
        log.info({ calendar_version: version, days: stored.days.length }, 'calendar read')
      } catch (error) {
        log.error({ error }, 'stored days of the calendar not read; those known before hold')
      } finally {
        reading = false
      }
    },
  }
}
