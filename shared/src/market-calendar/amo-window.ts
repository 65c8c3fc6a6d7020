// When the broker takes after-market orders: from the evening of one trading day to the morning of the next, and all of
// any day without trading.
import { istDay } from '../domain/time.ts'
import { type BrokerTimes, brokerTimesOf } from './broker-times.ts'
import type { MarketCalendar } from './calendar.ts'

/** The day's times while no after-market order is taken; undefined: one is, or the exchange's hours are not known. */
export function closedForAmo(
  calendar: MarketCalendar,
  exchange: string,
  nowMs: number,
): BrokerTimes | undefined {
  const { phases } = calendar.day(exchange, istDay(nowMs))
  const open = phases.filter(({ phase }) => phase === 'open')
  const [first, last] = [open[0], open.at(-1)]
  if (!first || !last) return undefined
  const times = brokerTimesOf(exchange, { openMs: first.fromMs, closeMs: last.toMs })
  return times && nowMs >= times.amoUntilMs && nowMs < times.amoFromMs ? times : undefined
}
