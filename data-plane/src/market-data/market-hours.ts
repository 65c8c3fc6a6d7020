// Which exchange's hours a segment of the broker's feed keeps, and when a contract has traded for the last time.
import { istDay } from '@ticker/shared/domain'
import { SEGMENTS } from '@ticker/shared/kite-wire'
import type { MarketCalendar } from '@ticker/shared/market-calendar'
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

const IST_OFFSET_MS = 330 * 60_000

/** From 06:00 IST, when tokens have died, to the close of NSE, on days on which it trades at noon. */
export function loginHours(hours: MarketHours, calendar: MarketCalendar, clock: { nowMs(): number }) {
  return (): boolean => {
    if (hours === 'always') return true
    const nowMs = clock.nowMs()
    const noonMs = Date.parse(`${istDay(nowMs)}T12:00:00Z`) - IST_OFFSET_MS
    const tradesToday = calendar.phaseAt('NSE', noonMs).phase === 'open'
    return tradesToday && nowMs >= noonMs - 6 * 3_600_000 && !calendar.isDayOver('NSE', nowMs)
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
      'the market calendar ends soon: bring a release with the next holidays',
    )
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
