// Profit and loss of an account by its own fills, and what it carried over: one calculation for the route and for the limit of a
// day's loss.
import type { BrokerPosition, OwnPosition, Pnl, StrategyPnl } from '@ticker/shared/domain'
import { keyOf, type Named } from './own-prices.ts'
import {
  averageOf,
  type Book,
  carriedOver,
  type Fill,
  figuresOf,
  isUnpriced,
  type Mark,
  minus,
  nothing,
  plus,
  type Sides,
  sidesOf,
  sum,
  total,
  UNKNOWN,
  withFills,
} from './pnl-book.ts'

type Kind = Pick<Named, 'exchange' | 'tradingsymbol'> & { product: string }
const positionKey = (of: Kind) => `${keyOf(of)}:${of.product}`

export function accountPnl(input: {
  net: readonly BrokerPosition[]
  fills: readonly Fill[]
  /** Of what is held. */
  markOf(row: Named): Mark | undefined
  /** What is known of the contract, where the broker does not say. */
  multiplierOf(row: Named): number | undefined
}): Pick<Pnl, 'account' | 'strategies' | 'positions' | 'stale' | 'unknown'> {
  const { net, fills, markOf, multiplierOf } = input
  const rows = new Map(net.map((row) => [positionKey(row), row]))
  const kinds = new Map<string, Kind>([...net, ...fills].map((of) => [positionKey(of), of]))
  const fillsOf = Map.groupBy(fills, positionKey)
  const byStrategy = new Map<string | null, StrategyPnl['positions']>()
  const positions: OwnPosition[] = []
  const stale: string[] = []
  const unknown: string[] = []

  for (const [key, { exchange, tradingsymbol, product }] of kinds) {
    const row = rows.get(key)
    const own = Map.groupBy(fillsOf.get(key) ?? [], ({ strategy }) => strategy)
    const of = row ?? { exchange, tradingsymbol }
    const named = { exchange, tradingsymbol, product }
    const multiplier = row?.multiplier || multiplierOf(of)
    const carried = row?.overnight_quantity ?? 0
    const carriedBook = carriedOver(row)
    const filledBy = new Map<string | null, Sides>(carried === 0 ? [] : [[null, nothing()]])
    for (const [strategy, filled] of own) filledBy.set(strategy, sidesOf(filled, multiplier ?? 1))
    const unpriced = new Set([...own].filter(([, filled]) => filled.some(isUnpriced)).map(([of]) => of))
    const today = [...filledBy.values()].reduce(plus, nothing())
    const heldBy = (strategy: string | null, { bought, sold }: Sides) =>
      (strategy === null ? carried : 0) + bought - sold
    const quantity = carried + today.bought - today.sold
    // What strategies hold against each other has a price as well, though the position is closed.
    const isHeld = quantity !== 0 || [...filledBy].some(([strategy, sides]) => heldBy(strategy, sides) !== 0)
    const mark = isHeld ? markOf(of) : undefined
    const price = mark ?? { last_price: null, price_from: null, age_ms: null }
    const figures = (book: Book | undefined) =>
      book && multiplier !== undefined ? figuresOf(book, multiplier, mark) : UNKNOWN
    for (const [strategy, sides] of filledBy) {
      const begun = strategy === null ? carriedBook : { cost: nothing(), close: nothing() }
      const held = heldBy(strategy, sides)
      byStrategy.set(strategy, [
        ...(byStrategy.get(strategy) ?? []),
        {
          ...{ ...named, quantity: held, price_from: held === 0 ? null : price.price_from },
          ...figures(begun && !unpriced.has(strategy) ? withFills(begun, sides) : undefined),
        },
      ])
    }
    const whole = carriedBook && unpriced.size === 0 ? withFills(carriedBook, today) : undefined
    const made = figures(whole)
    if (quantity !== 0 && price.price_from !== 'tick') stale.push(key)
    if (made.pnl === null) unknown.push(key)
    positions.push({
      ...named,
      instrument_token: row?.instrument_token ?? null,
      ...{ quantity, overnight_quantity: carried },
      ...{ bought_quantity: today.bought, sold_quantity: today.sold },
      average_price: whole && multiplier !== undefined ? averageOf(whole.cost, multiplier) : null,
      multiplier: multiplier ?? null,
      ...price,
      ...made,
      broker: row ? brokersOf(row) : null,
      difference: minus(made.pnl, row ? row.pnl : null),
    })
  }

  const account = total(positions)
  const broker = {
    realised: sum(net.map(({ realised }) => realised)),
    unrealised: sum(net.map(({ unrealised }) => unrealised)),
    pnl: sum(net.map(({ pnl }) => pnl)),
    m2m: sum(net.map(({ m2m }) => m2m)),
  }
  return {
    account: { ...account, broker, difference: minus(account.pnl, broker.pnl) },
    strategies: [...byStrategy]
      .map(([strategy, of]) => ({ strategy, ...total(of), positions: of }))
      .sort((a, b) => Number(a.strategy === null) - Number(b.strategy === null)),
    ...{ positions, stale, unknown },
  }
}

/** The day's, from the last close on: the worse of the broker's figure and ours; undefined while either is not known for certain. */
export function worseDayPnl({ account, stale, omitted }: Pick<Pnl, 'account' | 'stale' | 'omitted'>) {
  const [ours, brokers] = [account.day_pnl, account.broker.m2m]
  if (ours === null || brokers === null || stale.length > 0 || omitted > 0) return undefined
  return Math.min(ours, brokers)
}

/** The day's of one strategy, of which the broker knows nothing; undefined while it is not known for certain. */
export function strategyDayPnl(
  { strategies, omitted }: Pick<Pnl, 'strategies' | 'omitted'>,
  strategy: string,
) {
  const own = strategies.find((each) => each.strategy === strategy)
  if (!own) return 0
  const isLive = own.positions.every(({ quantity, price_from }) => quantity === 0 || price_from === 'tick')
  return own.day_pnl === null || !isLive || omitted > 0 ? undefined : own.day_pnl
}

const brokersOf = ({ quantity, realised, unrealised, pnl, m2m }: BrokerPosition) => ({
  ...{ quantity, realised, unrealised, pnl, m2m },
})
