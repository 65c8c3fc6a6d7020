// A chain of 800 options recomputed from its ticks: all of it, and beside it only the volatilities, ours and by bisection.
import { encodePacket } from '@ticker/shared/kite-wire'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { type Contract, impliedVolatility, type Market, optionValue } from '@ticker/shared/option-pricing'
import { createTickStore } from '../../data-plane/src/market-data/tick-store.ts'
import { createRegistry } from '../../data-plane/src/operations/process-metrics.ts'
import { createOptionChains } from '../../data-plane/src/option-chain/option-chains.ts'
import { fakeClock } from '../../data-plane/src/testing/fake-clock.ts'
import { NIFTY_50, registryOf, steps } from '../../data-plane/src/testing/option-chains.ts'
import { median, percentile, type Row } from './measure.ts'

const EXPIRY = '2026-12-29'
const STRIKES = steps(15_050, 35_000, 50)
const TYPES = ['CE', 'PE'] as const
const VOLATILITY = 0.13
const TERMS = { rate: 0.065, dividendYield: 0.0125 }
const [ROUNDS, WARM_UP] = [500, 100]
const [DEPTH_LEVELS, TICK] = [5, 0.05]

export async function optionChain(): Promise<Row[]> {
  const clock = fakeClock()
  const store = createTickStore()
  const listed = registryOf([{ expiry: EXPIRY, strikes: STRIKES }])
  const calendar = createMarketCalendar()
  const chains = createOptionChains({
    clock,
    registry: createRegistry({}),
    calendar,
    isOpen: () => true,
    isPreOpen: () => false,
    isOver: () => false,
    termsOf: () => TERMS,
    source: {
      realm: 'sim',
      store,
      directory: () => listed.directory,
      serving: () => 'live',
      interest: { ownerMode: () => 'full' },
    },
  })
  const years = ((calendar.expiryOn('NFO', EXPIRY)?.atMs ?? 0) - clock.nowMs()) / (365 * 86_400_000)
  const legs = STRIKES.flatMap((strike) => TYPES.map((type): Contract => ({ type, strike, years })))
  const marketAt = (round: number): Market => ({ model: 'bsm', underlying: 25_000 + (round % 97), ...TERMS })

  let seq = 0
  /** Each as the market makes it: above the value by what it trades at the least. */
  function tickAll(market: Market) {
    put(NIFTY_50, market.underlying)
    for (const leg of legs) {
      const value = optionValue(leg, market, VOLATILITY) + TICK
      put(listed.token(`NIFTY${EXPIRY}${leg.strike}${leg.type}`), Math.round(value / TICK) * TICK)
    }
  }
  function put(token: number, price: number) {
    const side = (away: number) =>
      Array.from({ length: DEPTH_LEVELS }, (_, level) => ({
        quantity: 75,
        price: price + away * (level + 1),
        orders: 3,
      }))
    const more = { oi: 100_000, volume_traded: 50_000, depth: { buy: side(-TICK), sell: side(TICK) } }
    const packet = Buffer.from(encodePacket({ instrument_token: token, last_price: price, ...more }, 'full'))
    seq += 1
    store.put(token, packet, 0, packet.length, seq, clock.nowMs())
  }

  const wholeMs: number[] = []
  const jsonMs: number[] = []
  const bytes: number[] = []
  const ours: number[] = []
  const bisected: number[] = []
  let withIv = 0
  for (let round = 0; round < WARM_UP + ROUNDS; round++) {
    const market = marketAt(round)
    tickAll(market)
    const startedMs = performance.now()
    const outcome = chains.read('desk', { underlying: 'NIFTY', strikes: 200 })
    const computedMs = performance.now()
    const text = JSON.stringify(outcome)
    const writtenMs = performance.now()
    if (!outcome.ok) throw new Error(outcome.detail)
    withIv = outcome.chain.legs.with_iv
    if (round < WARM_UP) continue
    wholeMs.push(computedMs - startedMs)
    jsonMs.push(writtenMs - computedMs)
    bytes.push(text.length)
    const priced = legs.map((leg) => ({ leg, price: optionValue(leg, market, VOLATILITY) + TICK }))
    // One in ten is enough of the slow one, and neither runs on the other's garbage alone.
    const all = (volatilityOf: (leg: Contract, price: number) => unknown) =>
      timed(() => {
        for (const { leg, price } of priced) volatilityOf(leg, price)
      })
    ours.push(all((leg, price) => impliedVolatility(leg, market, price)))
    // One in ten is enough of the slow one.
    if (round % 10 === 0) bisected.push(all((leg, price) => bisect(leg, market, price)))
  }
  const ms = (values: readonly number[]) =>
    `${median(values).toFixed(2)} / ${percentile(values, 99).toFixed(2)} ms`
  const row = (what: string, value: string, target = ''): Row => ({
    what: `option chain of ${legs.length} legs, ${what}`,
    value,
    target,
  })
  return [
    row(`ticks to chain, ${withIv} with a volatility, p50 / p99`, ms(wholeMs), '< 5 ms'),
    row('chain to JSON, p50 / p99', ms(jsonMs)),
    row('JSON', `${Math.round(median(bytes) / 1000)} kB`),
    row('volatilities alone, ours, p50 / p99', ms(ours)),
    row('volatilities alone, by bisection, p50 / p99', ms(bisected)),
  ]
}

function timed(work: () => void): number {
  const startedMs = performance.now()
  work()
  return performance.now() - startedMs
}

/** What one writes first: as far as the digits of a double go. */
function bisect(contract: Contract, market: Market, price: number): number {
  let [low, high] = [1e-6, 8]
  while (high - low > 1e-12) {
    const middle = (low + high) / 2
    if (optionValue(contract, market, middle) < price) low = middle
    else high = middle
  }
  return (low + high) / 2
}
