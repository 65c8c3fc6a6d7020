// The release's calendar with what an operator has stored over it. Read where both planes read it: one row, as JSON.
import { z } from 'zod'
import type { CalendarData, SpecialDay } from './calendar-data.ts'

const span = z.tuple([z.string(), z.string(), z.enum(['pre_open', 'open', 'closing_auction', 'post_close'])])

export const storedCalendar = z.object({
  known_until: z.string().nullable(),
  days: z.array(
    z.object({
      ...{ date: z.string(), exchange: z.string(), name: z.string(), source: z.string() },
      ...{ spans: z.array(span), confirmed: z.boolean() },
    }),
  ),
})
export type StoredCalendar = z.infer<typeof storedCalendar>

export const STORED_CALENDAR_SQL = `
  select jsonb_build_object('known_until', f.calendar_known_until::text, 'days', coalesce((
    select jsonb_agg(jsonb_build_object('date', d.date::text, 'exchange', d.exchange, 'name', d.name, 'source', d.source,
      'spans', d.spans, 'confirmed', d.confirmed)) from ticker.calendar_days d), '[]'::jsonb)) as calendar
  from ticker.fleet f`

/** A stored day comes before the release's own. */
export function withStored(released: CalendarData, stored: StoredCalendar): CalendarData {
  const { known_until, days } = stored
  return {
    ...released,
    knownUntil: known_until !== null && known_until > released.knownUntil ? known_until : released.knownUntil,
    days: [...days.map(storedDay), ...released.days],
  }
}

function storedDay({ exchange, ...day }: StoredCalendar['days'][number]): SpecialDay {
  return { ...day, exchanges: [exchange], stored: true }
}
