// What is asked for, checked and found: the contract, the days, and with greeks the underlying's days too. Then what is known
// of it, or the reason why it cannot be.
import {
  addDays,
  HISTORY_INTERVALS,
  type HistoryInterval,
  type HistoryLoad,
  type HistoryPage,
  type HistoryQuery,
  historyIntervalOf,
  istTime,
} from '@ticker/shared/domain'
import { closedUntilMs, lastCandleEndMs, type MarketCalendar } from '@ticker/shared/market-calendar'
import { pricingTerms } from '@ticker/shared/option-pricing'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import type { CandleSource } from './candles.ts'
import { type Contract, findContract, hasContinuous, isExpired, isOption, underlyingOf } from './contract.ts'
import { readCoverage, type Wanted } from './coverage.ts'
import { type Ensured, ensure } from './ensure.ts'
import { greeksOf } from './greeks.ts'
import { type Range, rangeOf } from './range.ts'

export interface Known {
  contract: Contract
  interval: HistoryInterval
  range: Range
  /** Undefined: nothing is known yet. */
  source: CandleSource | undefined
  complete: boolean
  loads: HistoryLoad[]
  /** It was answered without the broker. */
  isKept: boolean
  pricing: HistoryPage['pricing']
}

/** `fromDay`: what lies before it was read already. */
export async function askHistory(
  call: Call,
  calendar: MarketCalendar,
  ref: string,
  query: HistoryQuery,
  fromDay: string | undefined,
  waitMs: number,
): Promise<Outcome<Known>> {
  const nowMs = call.deps.clock.nowMs()
  const interval = historyIntervalOf(query.interval)
  if (!interval)
    return refused('history_interval_unknown', {
      detail: `"${query.interval}" is none of ${HISTORY_INTERVALS.join(', ')}.`,
    })
  const ranged = rangeOf(query, interval, nowMs)
  if (!ranged.ok) return ranged
  const range = ranged.value
  const found = await findContract(call, ref)
  if (!found.ok) return found
  const contract = found.value
  if (query.continuous && (interval !== '1d' || !hasContinuous(contract)))
    return refused('continuous_not_possible')
  // A cursor is the caller's to make up: it may not ask for more than the range.
  if (fromDay !== undefined && (fromDay < range.fromDay || fromDay > addDays(range.toDay, 1)))
    return refused('invalid_request', {
      errors: [{ path: 'cursor', message: 'not a cursor of this range; start without one' }],
    })
  const days = { fromDay: fromDay ?? range.fromDay, toDay: range.toDay }
  const wanted = (each: Contract): Wanted => ({
    ...days,
    ...{ contract: each, interval, continuous: each === contract && query.continuous },
    untilMs: isExpired(each, call)
      ? lastCandleEndMs(calendar, each.exchange, each.expiry)
      : closedUntilMs(calendar, each.exchange, interval, nowMs),
  })
  const option = query.greeks ? contract : undefined
  if (option && !isOption(option)) return refused('greeks_not_possible')
  const underlying = option && (await underlyingOf(call, option))
  if (underlying && !underlying.ok) return underlying

  const asked = [contract, ...(underlying ? [underlying.value.contract] : [])]
  // One after the other would take the time of both.
  const ensured = await Promise.all(
    asked.map((each) =>
      isExpired(each, call) ? keptOf(call, wanted(each)) : ensure(call, wanted(each), nowMs + waitMs),
    ),
  )
  const series: Ensured[] = []
  for (const each of ensured) {
    if (!each.ok) return each
    series.push(each.value)
  }
  const [own, under] = series
  const beforeDay = series
    .map(({ coverage }) => coverage.first_missing)
    .reduce<string>((first, day) => (day !== null && day < first ? day : first), addDays(range.toDay, 1))
  const terms = pricingTerms(call.deps.config.optionTerms)(contract.name)
  const rate = query.rate ?? terms.rate
  const dividendYield = query.dividend_yield ?? terms.dividendYield
  const model = underlying?.value.model
  const underSeries = under?.coverage.series_id
  const ownSeries = own?.coverage.series_id
  return done({
    contract,
    interval,
    range,
    complete: series.every(({ coverage }) => coverage.first_missing === null),
    loads: series.flatMap(({ load }) => load ?? []),
    isKept: series.every(({ isKept }) => isKept),
    pricing:
      underlying && model
        ? {
            model,
            underlying: `${underlying.value.contract.exchange}:${underlying.value.contract.tradingsymbol}`,
            rate,
            dividend_yield: dividendYield,
          }
        : null,
    source:
      ownSeries === null || ownSeries === undefined
        ? undefined
        : {
            ...{ seriesId: ownSeries, interval, fromMs: range.fromMs, toMs: range.toMs, beforeDay },
            greeks:
              option && model && underSeries !== null && underSeries !== undefined
                ? {
                    seriesId: underSeries,
                    of: greeksOf(calendar, option, interval, model, { rate, dividendYield }),
                  }
                : undefined,
          },
  })
}

/** Of an expired contract there is what was kept, and nothing to ask the broker for. */
async function keptOf(call: Call, wanted: Wanted): Promise<Outcome<Ensured>> {
  const read = await readCoverage(call, wanted)
  if (!read.ok) return read
  const coverage = read.value
  if (coverage.first_missing === null) return done({ coverage, load: undefined, isKept: true })
  const { loaded, total } = coverage.days
  return refused('instrument_expired', {
    detail: `${loaded} of ${total} days are kept; the first that is not is ${coverage.first_missing}.`,
  })
}

export function headOf({ contract, interval, range }: Known, continuous: boolean) {
  const { exchange, tradingsymbol, instrument_token } = contract
  return {
    ...{ instrument_token, exchange, tradingsymbol, interval, continuous },
    from: istTime(range.fromMs),
    to: istTime(range.toMs),
  }
}
