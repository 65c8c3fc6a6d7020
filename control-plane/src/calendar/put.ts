// Days that an operator knows better than the release: stored, audited, and in force in every data plane within 2 s.
import {
  CALENDAR_STORED_DAYS,
  type CalendarDayPut,
  type CalendarPut,
  type calendarPutResult,
  istDay,
} from '@ticker/shared/domain'
import { CALENDAR_DATA, CALENDAR_EXCHANGES } from '@ticker/shared/market-calendar'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LIVE_INSTANCES, nudgeList } from '../accounts/rows.ts'
import { byKey } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import type { Call } from '../http/call.ts'
import { done, type FieldError, type Outcome, refused } from '../http/problem.ts'

const DAY_MS = 86_400_000
const result = z.object({ known_until: z.string().nullable(), nudge: nudgeList })

/** All of it or nothing of it. A day that is stored already is replaced; of two in one request the later holds. */
export async function putCalendarDays(
  call: Call,
  { days, known_until }: CalendarPut,
): Promise<Outcome<z.output<typeof calendarPutResult>>> {
  const errors = days.flatMap((day, n) => wrongWith(day, `days.${n}`, call.deps.clock.nowMs()))
  if (errors.length > 0) return refused('invalid_request', { errors })
  const rows = [
    ...new Map(
      days.flatMap((day) => day.exchanges.map((each) => [`${day.date} ${each}`, rowOf(day, each)] as const)),
    ).values(),
  ]
  const [row] = await call.deps.db.rows(
    result,
    sql`with given as (
        select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb)
          as g(date date, exchange text, name text, spans jsonb, confirmed boolean, source text)
      ), stored as (
        insert into ticker.calendar_days (date, exchange, name, spans, confirmed, source, stored_by)
        select date, exchange, name, spans, confirmed, source, ${call.actor.key_id} from given order by date, exchange
        on conflict (date, exchange) do update set name = excluded.name, spans = excluded.spans,
          confirmed = excluded.confirmed, source = excluded.source, stored_by = excluded.stored_by, stored_at = now()
      ), moved as (
        update ticker.fleet set calendar_version = calendar_version + 1,
          calendar_known_until = coalesce(${known_until ?? null}::date, calendar_known_until)
        returning calendar_known_until::text as known_until
      ), audited as (${auditInsert({
        auditor: byKey(call.actor),
        action: 'calendar.put',
        subject: 'fleet',
        outcome: 'allowed',
        requestId: call.requestId,
        detail: { days, known_until: known_until ?? null },
      })})
      select moved.known_until, ${LIVE_INSTANCES} as nudge from moved`,
  )
  if (!row) throw new Error('the fleet row is missing: run the migrations')
  call.defer(call.deps.commandChannel.nudge('fleet', row.nudge))
  const released = CALENDAR_DATA.knownUntil
  return done({
    stored: rows.length,
    known_until: row.known_until !== null && row.known_until > released ? row.known_until : released,
  })
}

/** What the release says of that day holds again. */
export async function removeCalendarDay(
  call: Call,
  date: string,
  exchange: string | undefined,
): Promise<Outcome<null>> {
  const [row] = await call.deps.db.rows(
    z.object({ removed: z.int(), nudge: nudgeList }),
    sql`with removed as (
        delete from ticker.calendar_days
        where date = ${date}::date and (${exchange ?? null}::text is null or exchange = ${exchange ?? null}::text)
        returning exchange
      ), one as (
        select 1 from removed limit 1
      ), moved as (
        update ticker.fleet set calendar_version = calendar_version + 1 from one
      ), audited as (${auditInsert(
        {
          auditor: byKey(call.actor),
          action: 'calendar.delete',
          subject: 'fleet',
          outcome: 'allowed',
          requestId: call.requestId,
          detail: { date, exchange: exchange ?? null },
        },
        sql`one`,
      )})
      select (select count(*) from removed)::int as removed, ${LIVE_INSTANCES} as nudge`,
  )
  if (!row || row.removed === 0) return refused('not_found', { detail: 'Nothing is stored of that day.' })
  call.defer(call.deps.commandChannel.nudge('fleet', row.nudge))
  return done(null)
}

function rowOf({ date, name, phases, source, unconfirmed }: CalendarDayPut, exchange: string) {
  const spans = phases.map(({ from, to, phase }) => [from, to, phase])
  return { date, exchange, name, spans, confirmed: !unconfirmed, source }
}

function wrongWith(day: CalendarDayPut, path: string, nowMs: number): FieldError[] {
  const { back, ahead } = CALENDAR_STORED_DAYS
  const dayMs = Date.parse(day.date) - Date.parse(istDay(nowMs))
  const errors: FieldError[] = day.exchanges.flatMap((each, n) =>
    CALENDAR_EXCHANGES.includes(each)
      ? []
      : [{ path: `${path}.exchanges.${n}`, message: `there are ${CALENDAR_EXCHANGES.join(', ')}` }],
  )
  if (dayMs < -back * DAY_MS || dayMs > ahead * DAY_MS)
    errors.push({ path: `${path}.date`, message: `from ${back} days ago to ${ahead} days ahead` })
  return errors
}
