// Candles: how long they last, by one name everywhere, and what is in one.
import { z } from 'zod'

/** From one second to one day. A bar of a day covers its exchange's trading of that IST day. */
export const CANDLE_INTERVALS = [
  '1s',
  '5s',
  '15s',
  '30s',
  '1m',
  '3m',
  '5m',
  '10m',
  '15m',
  '30m',
  '1h',
  '1d',
] as const
export type CandleInterval = (typeof CANDLE_INTERVALS)[number]

export const CANDLE_INTERVAL_S: Readonly<Record<CandleInterval, number>> = {
  '1s': 1,
  '5s': 5,
  '15s': 15,
  '30s': 30,
  '1m': 60,
  '3m': 180,
  '5m': 300,
  '10m': 600,
  '15m': 900,
  '30m': 1_800,
  '1h': 3_600,
  '1d': 86_400,
}

export const candleInterval = z.enum(CANDLE_INTERVALS).meta({ id: 'CandleInterval' })

/** Those that the broker has a history of, with its name and how many days one of its requests may span (KITE.md 6). */
export const BROKER_INTERVALS = {
  '1m': { brokerName: 'minute', daysMax: 60 },
  '3m': { brokerName: '3minute', daysMax: 100 },
  '5m': { brokerName: '5minute', daysMax: 100 },
  '10m': { brokerName: '10minute', daysMax: 100 },
  '15m': { brokerName: '15minute', daysMax: 200 },
  '30m': { brokerName: '30minute', daysMax: 200 },
  '1h': { brokerName: '60minute', daysMax: 400 },
  '1d': { brokerName: 'day', daysMax: 2_000 },
} as const satisfies Partial<Record<CandleInterval, { brokerName: string; daysMax: number }>>
export type HistoryInterval = keyof typeof BROKER_INTERVALS

export const HISTORY_INTERVALS = [
  '1m',
  '3m',
  '5m',
  '10m',
  '15m',
  '30m',
  '1h',
  '1d',
] as const satisfies readonly HistoryInterval[]

/** By our name or by the broker's; undefined: neither. */
export function historyIntervalOf(name: string): HistoryInterval | undefined {
  return HISTORY_INTERVALS.find((each) => each === name || BROKER_INTERVALS[each].brokerName === name)
}

const price = z.number()

export const candle = z
  .object({
    time: z.string().meta({ description: 'When it begins, in India', example: '2026-11-25T09:15:00+05:30' }),
    open: price,
    high: price,
    low: price,
    close: price,
    volume: z.number(),
    oi: z.number().nullable().meta({ description: 'Open interest at its end; null where there is none' }),
  })
  .meta({ id: 'Candle' })
export type Candle = z.infer<typeof candle>
