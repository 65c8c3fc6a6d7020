// Which trading day is over, and where it is not yet: the report at the close is made once of each account and day.
import { brokerDay } from '@ticker/shared/domain'
import { CALENDAR_EXCHANGES, type MarketCalendar } from '@ticker/shared/market-calendar'
import type { MarketHours } from '../market-data/market-hours.ts'

/** Of shares and what is derived from them. The others go on to 17:00 and into the night, and on some holidays alone. */
const CORE = new Set<string>(['NSE', 'BSE', 'NFO', 'BFO'])

export interface Closing {
  day: string
  /** They trade still: it is not over for who has traded there. */
  still: string[]
}

/** undefined: nothing trades on this day, or it is over for nobody. A market without hours never closes. */
export function createClosing(hours: MarketHours, calendar: MarketCalendar, clock: { nowMs(): number }) {
  return (): Closing | undefined => {
    if (hours === 'always') return undefined
    const nowMs = clock.nowMs()
    // After midnight the night's markets have closed, and their day is still the broker's.
    const day = brokerDay(nowMs)
    const trading = CALENDAR_EXCHANGES.filter((exchange) =>
      calendar.day(exchange, day).phases.some(({ phase }) => phase === 'open'),
    )
    const still = trading.filter((exchange) => (calendar.day(exchange, day).phases.at(-1)?.toMs ?? 0) > nowMs)
    const isCoreDay = trading.some((exchange) => CORE.has(exchange))
    const waitsFor = isCoreDay ? still.filter((exchange) => CORE.has(exchange)) : still
    return trading.length === 0 || waitsFor.length > 0 ? undefined : { day, still }
  }
}
