// The day that candles are cut from: when its exchange opens and closes, by the dated calendar. A candle begins a whole
// number of intervals after the opening, as the broker's do: 09:15, 09:45 on NSE, 09:00, 09:30 on MCX; one of a day
// covers the IST day. A day without known hours is cut from midnight, and ticks alone say that it trades.
import { CANDLE_INTERVAL_S, type CandleInterval, istDay, istDayStartMs } from '../domain/index.ts'
import type { CalendarData, MarketCalendar, Phase } from '../market-calendar/index.ts'

const DAY_MS = 86_400_000

export interface CandleDay {
  readonly date: string
  /** Midnight in India, and the next one. */
  readonly startMs: number
  readonly endMs: number
  /** What candles are counted from. */
  readonly anchorMs: number
  /** Continuous trading begins; undefined: closed that day, or not known. */
  readonly openMs: number | undefined
  /** It ends, the closing auction included. */
  readonly closeMs: number | undefined
  readonly phases: readonly { phase: Phase; fromMs: number; toMs: number }[]
}

export interface Window {
  startMs: number
  endMs: number
}

/** Of an exchange by the broker's name. */
export type CandleDayOf = (exchange: string, epochMs: number) => CandleDay

/** `hours` as in the configuration: a market without hours is cut as the exchange is, and never closes. */
export function candleDays(
  calendar: Pick<MarketCalendar, 'day' | 'data'>,
  hours: 'calendar' | 'always' = 'calendar',
): CandleDayOf {
  /** Of each exchange the last one, since it is asked for at every tick; for as long as the calendar says the same. */
  const days = new Map<string, { day: CandleDay; of: CalendarData }>()
  return (exchange, epochMs) => {
    const of = calendar.data()
    const known = days.get(exchange)
    if (known?.of === of && epochMs >= known.day.startMs && epochMs < known.day.endMs) return known.day
    const day = makeDay(calendar, hours, exchange, epochMs)
    days.set(exchange, { day, of })
    return day
  }
}

function makeDay(
  calendar: Pick<MarketCalendar, 'day'>,
  hours: 'calendar' | 'always',
  exchange: string,
  epochMs: number,
): CandleDay {
  const date = istDay(epochMs)
  const startMs = istDayStartMs(date)
  const { phases } = calendar.day(exchange, date)
  const openMs = phases.find(({ phase }) => phase === 'open')?.fromMs
  const whole = { date, startMs, endMs: startMs + DAY_MS, anchorMs: openMs ?? startMs }
  if (hours === 'always') return { ...whole, openMs: undefined, closeMs: undefined, phases: [] }
  const closeMs = phases.findLast(({ phase }) => phase === 'open' || phase === 'closing_auction')?.toMs
  return { ...whole, openMs, closeMs, phases }
}

/** The candle that this moment of the day is in. The last one before the close ends with it. */
export function windowAt(day: CandleDay, interval: CandleInterval, atMs: number): Window {
  const { startMs, endMs, anchorMs, closeMs = endMs } = day
  const isAfterClose = atMs >= closeMs
  if (interval === '1d') return { startMs, endMs: isAfterClose ? endMs : closeMs }
  const stepMs = CANDLE_INTERVAL_S[interval] * 1_000
  const fromMs = anchorMs + Math.floor((atMs - anchorMs) / stepMs) * stepMs
  const [earliestMs, latestMs] = isAfterClose ? [closeMs, endMs] : [startMs, closeMs]
  return { startMs: Math.max(fromMs, earliestMs), endMs: Math.min(fromMs + stepMs, latestMs) }
}

/** `closed` where no phase covers the moment. */
export function phaseAt({ phases }: CandleDay, atMs: number): Phase {
  for (const { phase, fromMs, toMs } of phases) if (atMs >= fromMs && atMs < toMs) return phase
  return 'closed'
}
