// The gate itself: pure, from what is known of the order, its account and the market. Entries are refused by limits, what
// only reduces a position is not; what a limit needs and is not known refuses too.
import type { PlaceOrder, RiskDecision, TradingState } from '@ticker/shared/domain'
import { type TimeFacts, type TimeLimits, timeRefusal } from './time-rules.ts'

export interface Limits extends TimeLimits {
  /** '': of the whole account. */
  strategy: string
  max_order_value: number | null
  max_order_quantity: number | null
  max_orders_a_day: number | null
  max_daily_loss: number | null
  max_price_deviation_percent: number | null
}

/** Known without asking anybody. */
export interface Facts {
  tradingState: TradingState
  /** Of the account and of the order's strategy. */
  limits: readonly Limits[]
  ordersToday: number
  strategyOrdersToday: number
  /** undefined: no tick is live. */
  lastPrice: number | undefined
  /** undefined: not known of this contract. */
  multiplier: number | undefined
  /** undefined: it opens nothing new, whatever the time. */
  time: TimeFacts | undefined
}

/** What only the broker knows; undefined: it could not be asked, or our own prices of something held are not live. */
export interface Holdings {
  /** How much of this order would only reduce a position. */
  reducible: number | undefined
  /** The worse of the broker's figure and ours. */
  dayPnl: number | undefined
  /** Ours, of the order's strategy. */
  strategyDayPnl: number | undefined
}

export interface Refusal {
  code: 'risk_limit' | 'risk_unknown' | 'risk_not_reducing' | 'risk_time'
  reason: string
}

/** Whether it has to be known how much of it would reduce a position. */
export function needsReducible(order: PlaceOrder, facts: Facts): boolean {
  return mustReduce(order, facts) || entryRefusal(order, facts, undefined) !== undefined
}

export const needsDayPnl = ({ limits }: Facts) => limits.some(({ max_daily_loss }) => max_daily_loss !== null)

export function decide(order: PlaceOrder, facts: Facts, holdings: Holdings | undefined): RiskDecision {
  const answer = (allowed: boolean, exit: boolean, refusal?: Refusal): RiskDecision => ({
    ...{ allowed, exit, code: refusal?.code ?? null, reason: refusal?.reason ?? null },
    inputs: inputsOf(order, facts, holdings),
  })
  const band = bandRefusal(order, facts)
  const entry = entryRefusal(order, facts, holdings)
  const reduces = holdings?.reducible !== undefined && order.quantity <= holdings.reducible
  // A price far from the market hurts an exit as well; that no price is known does not stop one.
  if (band && !(reduces && band.code === 'risk_unknown')) return answer(false, false, band)
  if (!mustReduce(order, facts)) {
    if (!entry) return answer(true, false)
    return reduces ? answer(true, true) : answer(false, false, entry)
  }
  if (reduces) return answer(true, true)
  const why = facts.tradingState === 'REDUCING' ? 'The account only reduces positions' : 'reduce_only'
  if (holdings?.reducible === undefined)
    return answer(false, false, { code: 'risk_unknown', reason: `${why}, and positions could not be read.` })
  const most = holdings.reducible === 0 ? 'nothing' : `at most ${holdings.reducible}`
  return answer(false, false, { code: 'risk_not_reducing', reason: `${why}: ${most} of this would.` })
}

const mustReduce = (order: PlaceOrder, { tradingState }: Facts) =>
  tradingState === 'REDUCING' || order.reduce_only === true

/** The price it may trade at; undefined: at the market, and no tick is live. */
function priceOf(order: PlaceOrder, { lastPrice }: Facts): number | undefined {
  return order.price ?? (order.order_type === 'SL-M' ? order.trigger_price : undefined) ?? lastPrice
}

function orderValue(order: PlaceOrder, facts: Facts): number | undefined {
  const price = priceOf(order, facts)
  if (price === undefined || facts.multiplier === undefined) return undefined
  return order.quantity * price * facts.multiplier
}

function entryRefusal(order: PlaceOrder, facts: Facts, holdings: Holdings | undefined): Refusal | undefined {
  const late = facts.time && timeRefusal(order, facts.limits, facts.time)
  if (late) return { code: 'risk_time', reason: late }
  for (const limit of facts.limits) {
    const of = limit.strategy === '' ? 'of the account' : `of strategy ${limit.strategy}`
    const refused = (reason: string): Refusal => ({ code: 'risk_limit', reason: `${reason} ${of}.` })
    const unknown = (what: string): Refusal => ({
      code: 'risk_unknown',
      reason: `A limit ${of} needs ${what}.`,
    })
    if (limit.max_order_quantity !== null && order.quantity > limit.max_order_quantity)
      return refused(`${order.quantity} is more than the ${limit.max_order_quantity} an order may be`)
    if (limit.max_order_value !== null) {
      const value = orderValue(order, facts)
      if (value === undefined) return unknown('a price, and no tick is live')
      if (value > limit.max_order_value)
        return refused(`${rounded(value)} rupees are more than the ${limit.max_order_value} an order may be`)
    }
    const today = limit.strategy === '' ? facts.ordersToday : facts.strategyOrdersToday
    if (limit.max_orders_a_day !== null && today >= limit.max_orders_a_day)
      return refused(`The day’s ${limit.max_orders_a_day} orders are used up`)
    // Not looked at yet, when it is asked whether positions are needed at all.
    if (limit.max_daily_loss !== null && holdings) {
      const dayPnl = limit.strategy === '' ? holdings.dayPnl : holdings.strategyDayPnl
      if (dayPnl === undefined) return unknown('the day’s profit and loss, and not all of it is known')
      if (-dayPnl >= limit.max_daily_loss)
        return refused(`The day’s loss of ${rounded(-dayPnl)} has reached the limit`)
    }
  }
  return undefined
}

function bandRefusal(order: PlaceOrder, facts: Facts): Refusal | undefined {
  const { price } = order
  // Of a stop order the market is at its trigger when it goes out.
  const from = order.order_type === 'SL' ? order.trigger_price : facts.lastPrice
  const bands = facts.limits.flatMap(({ max_price_deviation_percent: percent }) => percent ?? [])
  if (price === undefined || bands.length === 0) return undefined
  if (from === undefined)
    return { code: 'risk_unknown', reason: 'A price band needs the last price, and no tick is live.' }
  const band = Math.min(...bands)
  const percent = (Math.abs(price - from) / from) * 100
  if (percent <= band) return undefined
  return {
    code: 'risk_limit',
    reason: `${price} is ${percent.toFixed(1)} % from ${order.order_type === 'SL' ? 'its trigger' : 'the last price'} ${from}; the band is ${band} %.`,
  }
}

function inputsOf(order: PlaceOrder, facts: Facts, holdings: Holdings | undefined): RiskDecision['inputs'] {
  const value = orderValue(order, facts)
  return {
    trading_state: facts.tradingState,
    orders_today: facts.ordersToday,
    strategy_orders_today: order.strategy === undefined ? null : facts.strategyOrdersToday,
    price: priceOf(order, facts) ?? null,
    last_price: facts.lastPrice ?? null,
    multiplier: facts.multiplier ?? null,
    value: value === undefined ? null : rounded(value),
    day_pnl: holdings?.dayPnl === undefined ? null : rounded(holdings.dayPnl),
    strategy_day_pnl: holdings?.strategyDayPnl === undefined ? null : rounded(holdings.strategyDayPnl),
    reducible_quantity: holdings?.reducible ?? null,
  }
}

const rounded = (rupees: number) => Math.round(rupees * 100) / 100
