// Our tick in the official client's shape, as JSON: dates for seconds, the percent as `change`.
import type { Tick } from '@ticker/shared/kite-wire'
import { expect } from 'vitest'

export function asKiteTickerShows(tick: Tick): Record<string, unknown> {
  const {
    change_percent,
    change_absolute: _absolute,
    last_trade_time_s,
    exchange_timestamp_s,
    ...rest
  } = tick
  const shown: Record<string, unknown> = { ...rest }
  if (change_percent !== undefined && change_percent !== null)
    shown.change = expect.closeTo(change_percent, 6)
  if (last_trade_time_s !== undefined) shown.last_trade_time = asDate(last_trade_time_s)
  if (exchange_timestamp_s !== undefined) shown.exchange_timestamp = asDate(exchange_timestamp_s)
  return shown
}

function asDate(seconds: number | null): string | null {
  return seconds === null ? null : new Date(seconds * 1000).toISOString()
}
