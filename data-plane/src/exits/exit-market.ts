// What an exit has to know of the market: what the broker says is held now, what other orders take of it already, and a price
// that is fresh: our own live depth, and of what nobody streams in full the broker's quote.
import {
  type ExitLegPlan,
  exitLegPlan,
  freezeQuantityOf,
  istDay,
  type PlaceExit,
  type PlaceOrder,
  type Positions,
} from '@ticker/shared/domain'
import type { BrokerQuotes } from '../broker-reads/broker-quotes.ts'
import { keyOf } from '../broker-reads/own-prices.ts'
import type { Clock } from '../clock.ts'
import type { InstrumentDirectory } from '../market-data/instrument-directory.ts'
import type { ReadQuotes } from '../market-data/quotes.ts'
import type { OrderAccount } from '../orders/deps.ts'
import type { RiskGate } from '../orders/risk/gate.ts'
import type { RiskStore } from '../orders/risk/risk-store.ts'
import { type MarketPrice, protectionBand } from './exit-price.ts'
import { exitOrder, type StoredExit } from './exit-store.ts'
import type { Market } from './next-step.ts'

/** The broker's quote of longer ago is no price. */
const QUOTE_FRESH_MS = 5_000
/** Circuit limits move a few times a day. */
const CIRCUITS_KEPT_MS = 60_000
const CIRCUITS_MAX = 2_000

export interface ExitMarket {
  /** What is to be closed; undefined: positions cannot be read. */
  plan(account: OrderAccount, request: PlaceExit): Promise<ExitLegPlan[] | undefined>
  look(account: OrderAccount, exit: StoredExit, legs: readonly number[]): Promise<Map<number, Market>>
}

export interface ExitMarketDeps {
  clock: Clock
  quotes: ReadQuotes
  broker: BrokerQuotes
  directory(): InstrumentDirectory
  risk: Pick<RiskGate, 'facts'>
  store: Pick<RiskStore, 'sameSideQuantity'>
  /** Read now; undefined: they cannot be. */
  positions(account: OrderAccount): Promise<Positions['net'] | undefined>
}

interface Circuits {
  lower: number | undefined
  upper: number | undefined
  atMs: number
}
type Depth = Pick<MarketPrice, 'bid' | 'ask' | 'last'>

export function createExitMarket(deps: ExitMarketDeps): ExitMarket {
  const { clock } = deps
  const circuits = new Map<string, Circuits>()

  /** Of each leg: the prices we may act on. */
  async function depthsOf(owner: string, keys: string[]): Promise<Map<string, Depth>> {
    const depths = new Map<string, Depth>()
    for (const quote of (await deps.quotes({ owner, instruments: keys })).quotes) {
      const { tick } = quote
      // A smaller mode has no depth: an empty side would look like one.
      if (quote.state !== 'live' || tick?.mode !== 'full' || tick.last_price <= 0) continue
      const depth = { bid: tick.bid ?? undefined, ask: tick.ask ?? undefined, last: tick.last_price }
      depths.set(keyOf(quote), depth)
    }
    const nowMs = clock.monotonicMs()
    const isKnown = (key: string) =>
      nowMs - (circuits.get(key)?.atMs ?? Number.NEGATIVE_INFINITY) < CIRCUITS_KEPT_MS
    const asked = keys.filter((key) => !depths.has(key) || !isKnown(key))
    if (asked.length === 0) return depths
    const { quotes } = await deps.broker.read(owner, asked)
    for (const [key, { quote, atMs }] of quotes) {
      if (!quote) continue
      const { lower_circuit_limit: lower, upper_circuit_limit: upper } = quote
      if (circuits.size >= CIRCUITS_MAX) circuits.clear()
      // 0: the broker has none.
      circuits.set(key, { lower: lower || undefined, upper: upper || undefined, atMs })
      if (depths.has(key) || quote.last_price <= 0) continue
      if (clock.monotonicMs() - atMs > QUOTE_FRESH_MS || !quote.depth) continue
      const best = (levels: readonly { price: number }[]) => levels[0]?.price || undefined
      depths.set(key, { bid: best(quote.depth.buy), ask: best(quote.depth.sell), last: quote.last_price })
    }
    return depths
  }

  return {
    async plan(account, request) {
      const net = await deps.positions(account)
      if (!net) return undefined
      const directory = deps.directory()
      const underlyingOf = (row: { exchange: string; tradingsymbol: string }) => {
        const found = directory.byKey(keyOf(row))
        return found?.expiry ? found.name : row.tradingsymbol
      }
      const legOf = (row: Named, held: number, most = Number.POSITIVE_INFINITY): ExitLegPlan => ({
        ...{ exchange: row.exchange, tradingsymbol: row.tradingsymbol, product: row.product },
        ...{ transaction_type: held < 0 ? 'BUY' : 'SELL', quantity: Math.min(Math.abs(held), most) },
        underlying: underlyingOf(row),
      })
      if (!request.positions)
        return net.flatMap((row) => {
          const named = planned.safeParse(row)
          if (row.quantity === 0 || !named.success) return []
          const isWanted = request.products?.includes(named.data.product) ?? true
          return isWanted ? [legOf(named.data, row.quantity)] : []
        })
      return request.positions.map((wanted) => legOf(wanted, heldOf(net, wanted), wanted.quantity))
    },

    async look(account, exit, legs) {
      const { owner, accountId } = account
      const { limits } = await deps.risk.facts(accountId, [])
      const bands = limits
        .filter(({ strategy }) => strategy === '' || strategy === exit.request.strategy)
        .flatMap(({ max_price_deviation_percent: percent }) => percent ?? [])
      const wanted = legs.flatMap((index) => {
        const leg = exit.legs?.[index]
        return leg ? [{ index, leg, order: exitOrder(exit, leg, { quantity: 1, price: 1 }) }] : []
      })
      const depths = await depthsOf(
        owner,
        wanted.map(({ leg }) => keyOf(leg)),
      )
      const onItsWay = () => Promise.all(wanted.map(({ index, order }) => othersOf(exit, index, order)))
      // Before and after: what fills meanwhile is open in the one, or gone from the position in the other.
      const before = await onItsWay()
      const net = await deps.positions(account)
      const after = await onItsWay()
      const today = istDay(clock.nowMs())
      const seen = new Map<number, Market>()
      for (const [at, { index, leg }] of wanted.entries()) {
        const instrument = deps.directory().byKey(keyOf(leg))
        if (!net) continue
        const held = heldOf(net, leg)
        seen.set(index, {
          held: Math.max(0, leg.transaction_type === 'BUY' ? -held : held),
          onItsWay: Math.max(before[at] ?? 0, after[at] ?? 0),
          lotSize: instrument?.lot_size ?? 1,
          freezeQuantity: instrument?.expiry ? freezeQuantityOf(instrument.name, today)?.quantity : undefined,
          price: priceOf(leg, exit.request, bands, depths.get(keyOf(leg))),
        })
      }
      return seen
    },
  }

  /** But for the exit's own: of its orders of one leg the last alone can be open. */
  function othersOf(exit: StoredExit, index: number, order: PlaceOrder): Promise<number> {
    const own = exit.intents.filter(({ leg }) => leg === index).sort((a, b) => a.n - b.n)
    const last = own.at(-1)
    return deps.store.sameSideQuantity(exit.accountId, order, {
      intentId: last?.id,
      orderId: last?.broker_order_id ?? undefined,
    })
  }

  function priceOf(
    leg: ExitLegPlan,
    { within_percent }: PlaceExit,
    bands: number[],
    depth: Depth | undefined,
  ): MarketPrice | string {
    const instrument = deps.directory().byKey(keyOf(leg))
    if (!instrument) return 'it is not in the current dump'
    if (!depth) return 'no fresh price is known'
    const { last } = depth
    const own =
      within_percent === undefined
        ? protectionBand(instrument.instrument_type, last)
        : (last * within_percent) / 100
    const { lower, upper } = circuits.get(keyOf(leg)) ?? {}
    return {
      ...depth,
      ...{ tickSize: instrument.tick_size, lowerCircuit: lower, upperCircuit: upper },
      band: Math.min(own, ...bands.map((percent) => (last * percent) / 100)),
    }
  }
}

const planned = exitLegPlan.pick({ exchange: true, tradingsymbol: true, product: true })
type Named = Pick<ExitLegPlan, 'exchange' | 'tradingsymbol' | 'product'>

function heldOf(net: Positions['net'], { exchange, tradingsymbol, product }: Named): number {
  const row = net.find(
    (each) => each.exchange === exchange && each.tradingsymbol === tradingsymbol && each.product === product,
  )
  return row?.quantity ?? 0
}
