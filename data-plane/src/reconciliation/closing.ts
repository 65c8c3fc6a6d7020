// Which trading day has just ended, for whom: the report at the close is made once of each.
import { brokerDay } from '@ticker/shared/domain'
import type { MarketCalendar } from '@ticker/shared/market-calendar'
import type { MarketHours } from '../market-data/market-hours.ts'

/** They trade into the night, and on evenings of holidays. */
export const EVENING_EXCHANGES = ['MCX', 'NCO', 'BCO']

export interface Closing {
  day: string
  /** `day`: of whoever has not traded on an evening exchange. */
  over: 'day' | 'evening'
}

/** undefined: nothing has traded on this day, or trades still. A market without hours never closes. */
export function createClosing(hours: MarketHours, calendar: MarketCalendar, clock: { nowMs(): number }) {
  return (): Closing | undefined => {
    if (hours === 'always') return undefined
    const nowMs = clock.nowMs()
    // After midnight the evening's market has closed, and its day is still the broker's.
    const day = brokerDay(nowMs)
    const isOver = (exchange: string) => {
      const { phases } = calendar.day(exchange, day)
      const lastMs = phases.at(-1)?.toMs
      return phases.some(({ phase }) => phase === 'open') && lastMs !== undefined && nowMs >= lastMs
    }
    if (isOver('MCX')) return { day, over: 'evening' }
    return isOver('NSE') ? { day, over: 'day' } : undefined
  }
}
