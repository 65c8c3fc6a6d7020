// Which exchange's hours a segment of the broker's feed keeps, and when a contract has traded for the last time.
import { istDay } from '@ticker/shared/domain'
import { SEGMENTS, segmentOf } from '@ticker/shared/kite-wire'
import { brokerTimesOf, type MarketCalendar } from '@ticker/shared/market-calendar'
import { Gauge, type Registry } from 'prom-client'
import type { Log } from '../operations/log.ts'

/** `always`: a market without hours, as a simulator's. */
export type MarketHours = 'calendar' | 'always'

/** Whether the segment (low byte of a token) is in continuous trading at this moment. */
export function tradingHours(hours: MarketHours, calendar: MarketCalendar, clock: { nowMs(): number }) {
  return (segment: number): boolean => {
    if (hours === 'always') return true
    const exchange = SEGMENTS[segment]
    // Indices are computed while the cash market trades continuously.
    const keeps = exchange === 'INDICES' ? 'NSE' : exchange
    const nowMs = clock.nowMs()
    // Past the known holidays a weekday is only likely to trade: ticks prove it, silence proves nothing.
    if (keeps === undefined || calendar.knownForDays(nowMs) < 0) return false
    return calendar.phaseAt(keeps, nowMs).phase === 'open'
  }
}

/** Whether the exchange collects orders for its opening. */
export function preOpenHours(hours: MarketHours, calendar: MarketCalendar, clock: { nowMs(): number }) {
  return (exchange: string): boolean =>
    hours === 'calendar' && calendar.phaseAt(exchange, clock.nowMs()).phase === 'pre_open'
}

const COMMODITY_EXCHANGES = new Set(['MCX', 'NCO', 'BCO'])

/** Commodities trade into the night, and on evenings of holidays. */
export function isCommodity(token: number): boolean {
  return COMMODITY_EXCHANGES.has(SEGMENTS[segmentOf(token)] ?? '')
}

/** Tokens die at 06:00 IST; nobody logs in earlier, nor much before the first market opens. */
const LOGIN_FROM_HOUR = 6
const LOGIN_BEFORE_OPEN_MS = 3.5 * 3_600_000

export interface LoginHours {
  /** Whether somebody would log in now: from 06:00, or some hours before the opening, to the close of what they trade. */
  isWanted(tradesCommodities: () => boolean): boolean
  /** Whether anything of theirs trades on this day at all. */
  isTradingDay(tradesCommodities: () => boolean): boolean
}

export function loginHours(
  hours: MarketHours,
  calendar: MarketCalendar,
  clock: { nowMs(): number },
): LoginHours {
  /** From when until when a login is of use for that exchange today. */
  function spanOf(exchange: string): { fromMs: number; toMs: number } | undefined {
    const today = istDay(clock.nowMs())
    const open = calendar.day(exchange, today).phases.filter(({ phase }) => phase === 'open')
    const [first, last] = [open[0], open.at(-1)]
    if (!first || !last) return undefined
    const sixMs = Date.parse(`${today}T0${LOGIN_FROM_HOUR}:00:00+05:30`)
    return { fromMs: Math.max(sixMs, first.fromMs - LOGIN_BEFORE_OPEN_MS), toMs: last.toMs }
  }
  const isWithin = (span: ReturnType<typeof spanOf>) =>
    span !== undefined && clock.nowMs() >= span.fromMs && clock.nowMs() < span.toMs

  return {
    isWanted: (tradesCommodities) =>
      hours === 'always' || isWithin(spanOf('NSE')) || (isWithin(spanOf('MCX')) && tradesCommodities()),
    isTradingDay: (tradesCommodities) =>
      hours === 'always' ||
      spanOf('NSE') !== undefined ||
      (spanOf('MCX') !== undefined && tradesCommodities()),
  }
}

const CALENDAR_WARN_DAYS = 30

/** The calendar ends with the holidays that are published; somebody must bring the next year's before that. */
export function watchCalendar(
  calendar: MarketCalendar,
  clock: { nowMs(): number },
  log: Log,
  registry: Registry,
) {
  const knownDays = () => calendar.knownForDays(clock.nowMs())
  new Gauge({
    name: 'ticker_market_calendar_known_days',
    help: 'Days until the market calendar knows no holidays any more; below 0, ticks alone say what trades',
    registers: [registry],
    collect() {
      this.set(knownDays())
    },
  })
  if (knownDays() < CALENDAR_WARN_DAYS)
    log.warn(
      { known_days: knownDays() },
      'the market calendar ends soon: bring a release with the next holidays, or store them (PUT /v1/calendar/days)',
    )
}

/** From when on the broker takes no new intraday (MIS) positions on that exchange today; undefined: there is no such time. */
export function misCutoff(hours: MarketHours, calendar: MarketCalendar, clock: { nowMs(): number }) {
  return (exchange: string): number | undefined => {
    if (hours === 'always') return undefined
    const open = calendar.day(exchange, istDay(clock.nowMs())).phases.filter(({ phase }) => phase === 'open')
    const [first, last] = [open[0], open.at(-1)]
    return first && last && brokerTimesOf(exchange, { openMs: first.fromMs, closeMs: last.toMs })?.misCutoffMs
  }
}

/** Whether contracts of that expiry trade no more: its day has passed, or its exchange has closed on that day. */
export function contractLife(hours: MarketHours, calendar: MarketCalendar, clock: { nowMs(): number }) {
  return (exchange: string, expiry: string): boolean => {
    const nowMs = clock.nowMs()
    const today = istDay(nowMs)
    if (expiry !== today) return expiry < today
    return hours === 'calendar' && calendar.isDayOver(exchange, nowMs)
  }
}
