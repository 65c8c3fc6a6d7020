// Which exchange's hours a segment of the broker's feed keeps.
import { SEGMENTS } from '@ticker/shared/kite-wire'
import type { MarketCalendar } from '@ticker/shared/market-calendar'

/** `always`: a market without hours, as a simulator's. */
export type MarketHours = 'calendar' | 'always'

/** Whether the segment (low byte of a token) is in continuous trading at this moment. */
export function tradingHours(hours: MarketHours, calendar: MarketCalendar, clock: { nowMs(): number }) {
  return (segment: number): boolean => {
    if (hours === 'always') return true
    const exchange = SEGMENTS[segment]
    // Indices are computed while the cash market trades continuously.
    const keeps = exchange === 'INDICES' ? 'NSE' : exchange
    return keeps !== undefined && calendar.phaseAt(keeps, clock.nowMs()).phase === 'open'
  }
}
