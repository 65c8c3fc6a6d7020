// A candle as the streams spell it, written once for everybody who is sent it.
import type { Bar } from '@ticker/shared/candles'
import { istTime } from '@ticker/shared/domain'

export const CANDLE_STATES = ['forming', 'closed', 'revised', 'backfilled'] as const
/**
 * `forming`: its time is not over. `closed`: it is. `revised`: another than was sent when it closed, by a tick that came
 * late or a gap that was found. `backfilled`: what was missing came from the broker's history.
 */
export type CandleState = (typeof CANDLE_STATES)[number]

export function candleText(token: number, state: CandleState, bar: Bar): string {
  const { open, high, low, close, volume, oi, gap, timeBasis } = bar
  return `{"instrument_token":${token},"state":"${state}","time":"${istTime(bar.startMs)}","open":${open},"high":${high},"low":${low},"close":${close},"volume":${volume},"oi":${oi},"gap":${gap},"time_basis":"${timeBasis}"}`
}
