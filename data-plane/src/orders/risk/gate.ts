// The gate of one order: gathers what it needs, asking the broker for positions only when they decide something.
import {
  type Holding,
  istDay,
  type ModifyOrder,
  type PlaceOrder,
  placeOrder,
  quantityMultiplier,
  type RiskDecision,
} from '@ticker/shared/domain'
import type { KiteOrder } from '@ticker/shared/kite-http'
import { Counter, type Registry } from 'prom-client'
import { keyOf, ownPrices } from '../../broker-reads/own-prices.ts'
import type { Clock } from '../../clock.ts'
import type { InstrumentDirectory } from '../../market-data/instrument-directory.ts'
import type { ReadQuotes } from '../../market-data/quotes.ts'
import type { OrderAccount } from '../deps.ts'
import { decide, type Facts, type Holdings, needsDayPnl, needsReducible } from './decide.ts'
import type { Itself, RiskStore, StoredFacts } from './risk-store.ts'

export interface RiskGate {
  /** Of one pass: limits, and what was sent today, those in flight among it, whether or not their claim is stored. */
  facts(accountId: string, inFlight: readonly string[]): Promise<StoredFacts>
  /** `intentId`: of the stored intent; undefined: a question. `mustKnow`: positions are read in any case. */
  decide(
    account: OrderAccount,
    order: PlaceOrder,
    stored: StoredFacts,
    options?: { intentId?: string; mustKnow?: boolean },
  ): Promise<RiskDecision>
  /** What the order would be; undefined: the change needs no decision. */
  decideModify(
    account: OrderAccount,
    row: KiteOrder,
    change: ModifyOrder,
    intentId: string | null,
  ): Promise<RiskDecision | undefined>
}

export interface RiskGateDeps {
  clock: Clock
  registry: Registry
  store: RiskStore
  quotes: ReadQuotes
  directory(): InstrumentDirectory
  /** From when on the broker takes no new MIS positions on that exchange today; undefined: there is no such time. */
  misCutoffMs(exchange: string): number | undefined
  /** Read now; undefined: it cannot be. */
  held(account: OrderAccount): Promise<Held | undefined>
  /** What lies at the depository, read now; undefined: it cannot be. */
  holdings(account: OrderAccount): Promise<readonly Delivered[] | undefined>
}

export type Delivered = Pick<
  Holding,
  'exchange' | 'tradingsymbol' | 'quantity' | 't1_quantity' | 'opening_quantity'
>

export interface Held {
  /** As the broker has them. */
  positions: readonly { exchange: string; tradingsymbol: string; product: string; quantity: number }[]
  /** The worse of the broker's figure and ours; undefined: not all of it is known. */
  dayPnl: number | undefined
  /** Ours alone, of one strategy; the same. */
  strategyDayPnl(strategy: string): number | undefined
}

/** For the day's profit and loss alone; what reduces a position is decided on what was read after it was asked. */
const POSITIONS_KEPT_MS = 1_000

export function createRiskGate(deps: RiskGateDeps): RiskGate {
  const { clock, store, quotes } = deps
  const decisions = new Counter({
    name: 'ticker_risk_decisions_total',
    help: 'Orders that the risk gate decided on: allowed, allowed as an exit, or the code of the refusal',
    labelNames: ['decision'],
    registers: [deps.registry],
  })

  const kept = new Map<string, { held: Held; atMs: number }>()

  async function read(account: OrderAccount): Promise<Held | undefined> {
    const held = await deps.held(account)
    if (held) kept.set(account.accountId, { held, atMs: clock.monotonicMs() })
    else kept.delete(account.accountId)
    return held
  }

  const lossesOf = (held: Held | undefined, { strategy }: PlaceOrder) => ({
    dayPnl: held?.dayPnl,
    strategyDayPnl: strategy === undefined ? undefined : held?.strategyDayPnl(strategy),
  })

  async function dayPnlOf(account: OrderAccount, order: PlaceOrder): Promise<Holdings> {
    const known = kept.get(account.accountId)
    const isYoung = known !== undefined && clock.monotonicMs() - known.atMs < POSITIONS_KEPT_MS
    const held = isYoung ? known.held : await read(account)
    return { reducible: undefined, ...lossesOf(held, order) }
  }

  async function holdingsOf(account: OrderAccount, order: PlaceOrder, of: Itself): Promise<Holdings> {
    const sameSide = () => store.sameSideQuantity(account.accountId, order, of)
    // Before and after: what fills meanwhile is open in the one, or gone from the position in the other.
    const before = await sameSide()
    const all = await read(account)
    if (!all) return { reducible: undefined, ...lossesOf(undefined, order) }
    const onItsWay = Math.max(before, await sameSide())
    const position = all.positions.find(
      (row) =>
        row.exchange === order.exchange &&
        row.tradingsymbol === order.tradingsymbol &&
        row.product === order.product,
    )
    const delivered = await deliveredOf(account, order)
    if (delivered === undefined) return { reducible: undefined, ...lossesOf(all, order) }
    // What is sold of a holding today is a position below 0 until it is delivered.
    const held = (position?.quantity ?? 0) + delivered
    const reduces = order.transaction_type === 'BUY' ? held < 0 : held > 0
    const reducible = reduces ? Math.max(0, Math.abs(held) - onItsWay) : 0
    return { reducible, ...lossesOf(all, order) }
  }

  /** Shares of it that lie at the depository, as of the morning: selling them opens nothing. */
  async function deliveredOf(account: OrderAccount, order: PlaceOrder): Promise<number | undefined> {
    if (order.product !== 'CNC' || order.transaction_type !== 'SELL') return 0
    const holdings = await deps.holdings(account)
    const row = holdings?.find(
      ({ exchange, tradingsymbol }) => exchange === order.exchange && tradingsymbol === order.tradingsymbol,
    )
    // Whether the broker takes today's sales off its quantity is not documented (KITE.md 5.5): the morning's is not touched.
    return holdings && (row ? Math.max(row.opening_quantity ?? 0, row.quantity + (row.t1_quantity ?? 0)) : 0)
  }

  async function decideOn(
    account: OrderAccount,
    order: PlaceOrder,
    stored: StoredFacts,
    of: Itself,
    { mustKnow, opens }: { mustKnow: boolean; opens: boolean },
  ): Promise<RiskDecision> {
    const limits = stored.limits.filter(({ strategy }) => strategy === '' || strategy === order.strategy)
    // Only a limit asks for the market: without one nothing is looked up.
    const price = limits.length > 0 ? (await ownPrices(quotes, account.owner, [order]))(order) : undefined
    const contract = deps.directory().byKey(keyOf(order))
    const nowMs = clock.nowMs()
    const today = istDay(nowMs)
    const facts: Facts = {
      tradingState: account.observed.trading_state,
      limits,
      ordersToday: stored.sentToday(),
      strategyOrdersToday: order.strategy === undefined ? 0 : stored.sentToday(order.strategy),
      lastPrice: price?.last_price,
      multiplier: quantityMultiplier({ exchange: order.exchange, name: contract?.name ?? '' }, today),
      time: opens
        ? {
            ...{ nowMs, today, misCutoffMs: deps.misCutoffMs(order.exchange) },
            expiresToday: contract?.expiry === today,
          }
        : undefined,
    }
    const holdings = () => holdingsOf(account, order, of)
    const isReducing = mustKnow || needsReducible(order, facts)
    const known = isReducing
      ? await holdings()
      : needsDayPnl(facts)
        ? await dayPnlOf(account, order)
        : undefined
    const first = decide(order, facts, known)
    // The day's loss alone refuses it: it may still leave a position.
    const decision = first.allowed || isReducing ? first : decide(order, facts, await holdings())
    decisions.inc({ decision: decision.code ?? (decision.exit ? 'exit' : 'allowed') })
    return decision
  }

  return {
    facts: (accountId, inFlight) => store.facts(accountId, inFlight),
    decide: (account, order, stored, { intentId, mustKnow = false } = {}) =>
      decideOn(account, order, stored, { intentId, orderId: undefined }, { mustKnow, opens: true }),
    async decideModify(account, row, change, intentId) {
      const modified = modifiedOrder(account.accountId, row, change)
      if (!modified) return undefined
      const { order, isRaised } = modified
      const stored = await store.facts(account.accountId, [])
      const limits = stored.limits.map((limit) => ({
        ...limit,
        // It is no further order; and what does not grow adds nothing to a position.
        max_orders_a_day: null,
        ...(isRaised ? {} : { max_order_quantity: null, max_daily_loss: null }),
      }))
      const as = isRaised
        ? account
        : { ...account, observed: { ...account.observed, trading_state: 'ACTIVE' as const } }
      const of = { intentId: intentId ?? undefined, orderId: row.order_id }
      // One for the next session opens nothing in this one.
      const opens = isRaised && row.variety !== 'amo'
      return decideOn(as, order, { ...stored, limits }, of, { mustKnow: false, opens })
    },
  }
}

/** The order that would be there, as far as limits go: what is left of it. Only a price or a quantity concerns them. */
function modifiedOrder(accountId: string, row: KiteOrder, change: ModifyOrder) {
  const { quantity = row.quantity, price = row.price, order_type = row.order_type } = change
  if (change.quantity === undefined && change.price === undefined && change.order_type === undefined)
    return undefined
  const parsed = placeOrder.safeParse({
    ...{ account_id: accountId, exchange: row.exchange, tradingsymbol: row.tradingsymbol },
    ...{ transaction_type: row.transaction_type, product: row.product },
    quantity: Math.max(1, quantity - row.filled_quantity),
    ...(price && order_type === 'LIMIT' ? { order_type: 'LIMIT', price } : { order_type: 'MARKET' }),
  })
  return parsed.success ? { order: parsed.data, isRaised: quantity > row.quantity } : undefined
}
