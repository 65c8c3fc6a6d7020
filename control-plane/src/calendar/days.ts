// What the exchanges plan: the calendar that ships with this release, and what an operator has stored over it.
import {
  addDays,
  CALENDAR_DAYS_MAX,
  type CalendarDay,
  calendarDate,
  type calendarDays,
  daysBetween,
  exchange,
  istDay,
  type marketNow,
} from '@ticker/shared/domain'
import { brokerTimesOf, CALENDAR_EXCHANGES, type MarketCalendar } from '@ticker/shared/market-calendar'
import { z } from 'zod'
import { done, type Outcome, refused } from '../http/problem.ts'
import type { KnownCalendar } from './known.ts'

const WEEK_DAYS = 7

export const calendarQuery = z.object({
  from: calendarDate.optional().meta({ description: 'Today in India when absent' }),
  to: calendarDate
    .optional()
    .meta({ description: `Up to and including; a week when absent, at most ${CALENDAR_DAYS_MAX} days` }),
  exchange: exchange.optional(),
})
export type CalendarQuery = z.output<typeof calendarQuery>

const iso = (epochMs: number) => new Date(epochMs).toISOString()

/** By day, then exchange. */
export function listDays(
  { calendar, knownUntil }: KnownCalendar,
  nowMs: number,
  query: CalendarQuery,
): Outcome<z.input<typeof calendarDays>> {
  const exchanges = asked(query.exchange)
  if (exchanges.length === 0) return noSuchExchange()
  const from = query.from ?? istDay(nowMs)
  const days = daysBetween(from, query.to ?? addDays(from, WEEK_DAYS - 1))
  if (days < 1 || days > CALENDAR_DAYS_MAX)
    return refused('invalid_request', {
      errors: [{ path: 'to', message: `from ${from} on, at most ${CALENDAR_DAYS_MAX} days` }],
    })
  const items = Array.from({ length: days }, (_, index) => addDays(from, index))
  return done({
    known_until: knownUntil,
    items: items.flatMap((date) => exchanges.map((each) => dayOf(calendar, each, date))),
  })
}

function dayOf(calendar: MarketCalendar, exchange: string, date: string): CalendarDay {
  const day = calendar.day(exchange, date)
  const openMs = day.phases.find(({ phase }) => phase === 'open')?.fromMs
  const closeMs = day.phases.findLast(({ phase }) => phase === 'open')?.toMs
  const trades = openMs !== undefined && closeMs !== undefined
  const broker = trades ? brokerTimesOf(exchange, { openMs, closeMs }) : undefined
  return {
    date,
    exchange,
    trading: trades,
    name: day.name ?? null,
    phases: day.phases.map(({ phase, fromMs, toMs }) => ({ phase, from: iso(fromMs), to: iso(toMs) })),
    unconfirmed: !day.confirmed,
    source: day.source ?? null,
    stored: day.stored,
    broker: broker
      ? {
          mis_cutoff: iso(broker.misCutoffMs),
          amo_until: iso(broker.amoUntilMs),
          amo_from: iso(broker.amoFromMs),
          unconfirmed: !broker.confirmed,
          source: broker.source,
        }
      : null,
  }
}

export function readMarketNow(
  calendar: MarketCalendar,
  nowMs: number,
  exchange: string | undefined,
): Outcome<z.input<typeof marketNow>> {
  const exchanges = asked(exchange)
  if (exchanges.length === 0) return noSuchExchange()
  return done({
    items: exchanges.map((each) => {
      const { phase, untilMs, name, confirmed } = calendar.phaseAt(each, nowMs)
      const nextOpenMs = calendar.nextOpenMs(each, nowMs)
      return {
        exchange: each,
        phase,
        until: iso(untilMs),
        next_open: nextOpenMs === undefined ? null : iso(nextOpenMs),
        name: name ?? null,
        unconfirmed: !confirmed,
      }
    }),
  })
}

const asked = (exchange: string | undefined) =>
  CALENDAR_EXCHANGES.filter((each) => exchange === undefined || each === exchange)

const noSuchExchange = () =>
  refused('invalid_request', {
    errors: [{ path: 'exchange', message: `there are hours of ${CALENDAR_EXCHANGES.join(', ')}` }],
  })
