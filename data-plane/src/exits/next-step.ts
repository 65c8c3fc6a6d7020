// What an exit does next: pure, from its rows and the market alone. Asked again and again by whoever owns the account, it
// goes on after any crash; every step may be taken twice. Of one position one order at a time is anywhere: the next is
// stored only when the one before is finished at the broker, or was never sent.
import { MODIFICATIONS_PER_ORDER_MAX, slicesOf } from '@ticker/shared/domain'
import { exitPrice, type MarketPrice } from './exit-price.ts'

/** Of an order; one is left to a person. */
export const MODIFIES_MAX = MODIFICATIONS_PER_ORDER_MAX - 1
/** Orders in a row that the broker or a limit has refused, or somebody else has cancelled. */
export const FAILURES_MAX = 3
export const ORDERS_PER_LEG_MAX = 500

export type OrderState =
  | 'queued'
  | 'sending'
  | 'unknown'
  /** At the broker, and neither working nor finished as far as is known. */
  | 'received'
  | 'working'
  | 'filled'
  /** Cancelled by this exit. */
  | 'cut'
  /** Never sent, and nobody said that it must not be: tried again. */
  | 'lapsed'
  | 'failed'
  /** Waits for a person. */
  | 'parked'

export interface OrderView {
  n: number
  state: OrderState
  quantity: number
  filled: number
  /** As the broker has it; before that, as it was asked for. */
  price: number
  /** Modifies of it that were sent or may be, whoever asked for them. */
  modifies: number
  /** How often this exit has asked for another price. */
  moves: number
  changePending: boolean
  cancelAsked: boolean
  /** Since it was stored or last re-priced. */
  pricedS: number
  /** Since anything of it changed. */
  stillS: number
  reason: string
}

export interface Market {
  /** Of the position, in the direction that this leg closes. */
  held: number
  /** In other orders that close it too. */
  onItsWay: number
  lotSize: number
  /** undefined: none is known. */
  freezeQuantity: number | undefined
  /** A text: why there is none. */
  price: MarketPrice | string
}

export interface LegView {
  index: number
  name: string
  underlying: string
  side: 'BUY' | 'SELL'
  quantity: number
  orders: OrderView[]
  /** undefined: not looked at. */
  market: Market | undefined
}

export interface ExitView {
  state: 'RUNNING' | 'STOPPING'
  stopRequested: boolean
  halted: boolean
  /** Why nothing can be sent now. */
  blocked: string | undefined
  hedgeOrder: boolean
  cancelOpen: boolean
  crossPercent: number
  repriceEveryS: number
  repricesMax: number
  /** undefined: positions were not read yet. */
  legs: LegView[] | undefined
}

export type Step =
  | { do: 'plan' }
  /** Its position and its market are wanted; then it is asked again. */
  | { do: 'look'; leg: number }
  | { do: 'place'; leg: number; n: number; quantity: number; price: number }
  | { do: 'reprice'; leg: number; n: number; move: number; price: number }
  | { do: 'cancel'; leg: number; n: number }
  | { do: 'cancel_others'; leg: number }
  /** Less is held than was to be closed. */
  | { do: 'shrink'; leg: number; quantity: number }
  | { do: 'stop'; code: string; reason: string }
  | { do: 'end'; state: 'DONE' | 'STOPPED'; code?: string; reason?: string }

export interface Next {
  steps: Step[]
  waiting: string | undefined
}

type Progress = { is: 'done' } | { is: 'failed'; reason: string } | ({ is: 'busy' } & Next)

const LIVE: readonly OrderState[] = ['queued', 'sending', 'unknown', 'received', 'working']
export const isLive = ({ state }: OrderView) => LIVE.includes(state)
export const filledOf = ({ orders }: Pick<LegView, 'orders'>) =>
  orders.reduce((sum, { filled }) => sum + filled, 0)

export function nextSteps(exit: ExitView): Next {
  const { legs } = exit
  if (exit.state === 'STOPPING') return unwind(legs ?? [])
  if (exit.stopRequested) return only({ do: 'stop', code: 'stop_requested', reason: 'It was asked to stop.' })
  if (exit.halted)
    return only({
      ...{ do: 'stop', code: 'halted' },
      reason: 'Trading was halted: nothing goes out, and it does not begin again by itself.',
    })
  if (exit.blocked !== undefined) return { steps: [], waiting: exit.blocked }
  if (!legs) return only({ do: 'plan' })
  const failures: string[] = []
  const busy: Next[] = []
  for (const stages of groupsOf(legs, exit.hedgeOrder)) {
    for (const stage of stages) {
      const progress = stage.map((leg) => advance(exit, leg))
      for (const each of progress) {
        if (each.is === 'failed') failures.push(each.reason)
        if (each.is === 'busy') busy.push(each)
      }
      // What hedges a short is not sold before that is bought back, or at all if it cannot be.
      if (progress.some(({ is }) => is !== 'done')) break
    }
  }
  if (busy.length > 0)
    return { steps: busy.flatMap(({ steps }) => steps), waiting: joined(busy.map(({ waiting }) => waiting)) }
  if (failures.length === 0) return only({ do: 'end', state: 'DONE' })
  return only({ do: 'end', state: 'STOPPED', code: 'leg_failed', reason: failures.join(' ') })
}

const only = (step: Step): Next => ({ steps: [step], waiting: undefined })
const joined = (texts: (string | undefined)[]) =>
  [...new Set(texts.filter((text) => text !== undefined))].join(' ') || undefined

/** By underlying; within it what is short comes first. */
function groupsOf(legs: LegView[], hedgeOrder: boolean): LegView[][][] {
  if (!hedgeOrder) return [[legs]]
  const groups = new Map<string, { shorts: LegView[]; longs: LegView[] }>()
  for (const leg of legs) {
    const group = groups.get(leg.underlying) ?? { shorts: [], longs: [] }
    groups.set(leg.underlying, group)
    if (leg.side === 'BUY') group.shorts.push(leg)
    else group.longs.push(leg)
  }
  return [...groups.values()].map(({ shorts, longs }) => [shorts, longs])
}

/** Cancels are asked for once, and stand until nothing is open. */
function unwind(legs: LegView[]): Next {
  const live = legs.flatMap((leg) => leg.orders.filter(isLive).map((order) => ({ leg: leg.index, order })))
  if (live.length === 0) return only({ do: 'end', state: 'STOPPED' })
  const steps: Step[] = live
    .filter(({ order }) => !order.cancelAsked)
    .map(({ leg, order }) => ({ do: 'cancel', leg, n: order.n }))
  const doubtful = live.some(({ order }) => order.state === 'unknown')
  return { steps, waiting: doubtful ? 'An order of it is in doubt.' : undefined }
}

function advance(exit: ExitView, leg: LegView): Progress {
  const live = leg.orders.find(isLive)
  if (live)
    return { is: 'busy', ...(live.state === 'working' ? keepPriced(exit, leg, live) : underWay(leg, live)) }
  const left = leg.quantity - filledOf(leg)
  if (left <= 0) return { is: 'done' }
  const last = leg.orders.at(-1)
  const failed = failedOf(leg, last)
  if (failed !== undefined) return { is: 'failed', reason: `${leg.name}: ${failed}` }
  return { is: 'busy', ...placeNext(exit, leg, left, last) }
}

function underWay(leg: LegView, order: OrderView): Next {
  return {
    steps: [],
    waiting: order.state === 'unknown' ? `${leg.name}: an order of it is in doubt.` : undefined,
  }
}

function failedOf({ orders }: LegView, last: OrderView | undefined): string | undefined {
  if (last?.state === 'parked') return last.reason
  if (orders.length >= ORDERS_PER_LEG_MAX) return `${orders.length} orders did not close it.`
  const lastGood = orders.findLastIndex(({ state }) => state !== 'failed' && state !== 'lapsed')
  const failures = orders.slice(lastGood + 1).filter(({ state }) => state === 'failed')
  return failures.length >= FAILURES_MAX ? (failures.at(-1)?.reason ?? '') : undefined
}

/** Since the last order that was filled: what comes after it begins at the market again. */
function movesOf({ orders }: LegView): number {
  const filled = orders.findLastIndex(({ state }) => state === 'filled')
  return orders
    .slice(filled + 1)
    .reduce((sum, { moves, state }) => sum + moves + (state === 'failed' ? 1 : 0), 0)
}

function placeNext(exit: ExitView, leg: LegView, left: number, last: OrderView | undefined): Next {
  const { market, index, name } = leg
  const waits = (why: string): Next => ({ steps: [], waiting: `${name}: ${why}` })
  if ((last?.state === 'failed' || last?.state === 'lapsed') && last.stillS < exit.repriceEveryS)
    return waits(last.reason)
  if (!market) return only({ do: 'look', leg: index })
  if (market.held < left)
    return only({ do: 'shrink', leg: index, quantity: leg.quantity - left + market.held })
  const lot = Math.max(1, market.lotSize)
  const available = Math.min(left, Math.max(0, market.held - market.onItsWay))
  // Less than a lot: the exchange decides.
  const free = Math.floor(available / lot) * lot || available
  if (free === 0) {
    const waiting = waits(`${market.onItsWay} of it are on their way in other orders.`)
    return exit.cancelOpen ? { ...waiting, steps: [{ do: 'cancel_others', leg: index }] } : waiting
  }
  if (typeof market.price === 'string') return waits(`${market.price}.`)
  const moves = movesOf(leg)
  const priced = exitPrice(leg.side, market.price, { moves, crossPercent: exit.crossPercent })
  if ('unknown' in priced) return waits(`${priced.unknown}.`)
  const [first = free] = slicesOf(free, market.freezeQuantity ?? free, lot) ?? []
  return only({ do: 'place', leg: index, n: leg.orders.length, quantity: first, price: priced.price })
}

/** Works at the exchange: its price follows the market away from us, never back. */
function keepPriced(exit: ExitView, leg: LegView, order: OrderView): Next {
  const { market, index, name } = leg
  const rests = (why: string): Next => ({ steps: [], waiting: `${name}: rests at ${order.price}: ${why}.` })
  if (order.cancelAsked || order.changePending || order.pricedS < exit.repriceEveryS)
    return { steps: [], waiting: undefined }
  if (!market) return only({ do: 'look', leg: index })
  // Closed elsewhere, or about to be: what is too much of it must not fill.
  if (order.quantity - order.filled > Math.max(0, market.held - market.onItsWay))
    return only({ do: 'cancel', leg: index, n: order.n })
  const moves = movesOf(leg)
  if (moves >= exit.repricesMax) return rests(`it was re-priced ${moves} times`)
  if (typeof market.price === 'string') return rests(market.price)
  const priced = exitPrice(leg.side, market.price, { moves: moves + 1, crossPercent: exit.crossPercent })
  if ('unknown' in priced) return rests(priced.unknown)
  const isFurther = leg.side === 'BUY' ? priced.price > order.price : priced.price < order.price
  if (!isFurther) return rests('that is the furthest it may go, or better than the market')
  if (order.modifies >= MODIFIES_MAX) return only({ do: 'cancel', leg: index, n: order.n })
  return only({ do: 'reprice', leg: index, n: order.n, move: order.moves, price: priced.price })
}
