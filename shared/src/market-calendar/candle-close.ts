// When a candle is closed. The broker does not say whether its history shows one that is still forming (KITE.md 6), so
// only those count that have ended, and ended long enough ago for the broker to have them.
import { CANDLE_INTERVAL_S, type CandleInterval } from '../domain/candles.ts'
import { istDay, istDayStartMs } from '../domain/time.ts'
import type { MarketCalendar } from './calendar.ts'

/** From the end of a candle until it is taken for published. */
export const PUBLISHED_AFTER_MS = 10_000
/** A calendar can be wrong about a close: after it candles are looked for this often. */
const AFTER_CLOSE_STEP_MS = 15 * 60_000

type Days = Pick<MarketCalendar, 'day'>

/** Until when the candles of that exchange are closed at this moment; moves from candle to candle. */
export function closedUntilMs(
  calendar: Days,
  exchange: string,
  interval: CandleInterval,
  nowMs: number,
): number {
  const atMs = nowMs - PUBLISHED_AFTER_MS
  const dayMs = istDayStartMs(istDay(atMs))
  const { openMs, closeMs } = session(calendar, exchange, istDay(atMs))
  if (closeMs !== undefined && atMs >= closeMs)
    return Math.max(closeMs, stepsUntil(atMs, dayMs, AFTER_CLOSE_STEP_MS))
  if (interval === '1d') return dayMs
  return Math.max(dayMs, stepsUntil(atMs, openMs ?? dayMs, CANDLE_INTERVAL_S[interval] * 1000))
}

/** The last one of a day may be shorter than the others; one of a day ends when trading does. */
export function candleEndMs(
  calendar: Days,
  exchange: string,
  interval: CandleInterval,
  startMs: number,
): number {
  const day = istDay(startMs)
  const { closeMs } = session(calendar, exchange, day)
  const endMs =
    interval === '1d' ? istDayStartMs(day) + 86_400_000 : startMs + CANDLE_INTERVAL_S[interval] * 1000
  return closeMs !== undefined && startMs < closeMs ? Math.min(endMs, closeMs) : endMs
}

/** When the last candle of that day ends: with trading, as far as is known. */
export const lastCandleEndMs = (calendar: Days, exchange: string, day: string): number =>
  session(calendar, exchange, day).closeMs ?? istDayStartMs(day) + 86_400_000

function session(calendar: Days, exchange: string, day: string) {
  const open = calendar.day(exchange, day).phases.filter(({ phase }) => phase === 'open')
  return { openMs: open[0]?.fromMs, closeMs: open.at(-1)?.toMs }
}

const stepsUntil = (atMs: number, fromMs: number, stepMs: number) =>
  fromMs + Math.floor((atMs - fromMs) / stepMs) * stepMs
