// Profit and loss of an account by its own fills, and what it carried over: one calculation for the route and for the limit of a
// day's loss. Money is integers of 0.0001 rupee. Realised is at average cost: what was bought and what was sold, each at the average
// of all of it, what was carried over among it, as the broker does it. So the order of fills does not matter.
import type { BrokerPosition, OwnPosition, Pnl, PnlFigures, StrategyPnl } from '@ticker/shared/domain'
import { keyOf, type Named } from './own-prices.ts'

export interface Fill {
  exchange: string
  tradingsymbol: string
  product: string
  transaction_type: string
  quantity: number
  average_price: number
  /** null: of none, or placed elsewhere. */
  strategy: string | null
}

export interface Mark {
  last_price: number
  age_ms: number
  price_from: 'tick' | 'broker'
}

/** What was bought and sold, with the multiplier in the values. */
interface Sides {
  bought: number
  boughtE4: number
  sold: number
  soldE4: number
}

/** Two of them: carried over at its cost, and at its last close. */
interface Book {
  cost: Sides
  close: Sides
}

type Kind = Pick<Named, 'exchange' | 'tradingsymbol'> & { product: string }
const positionKey = (of: Kind) => `${keyOf(of)}:${of.product}`
const nothing = (): Sides => ({ bought: 0, boughtE4: 0, sold: 0, soldE4: 0 })
const UNKNOWN: PnlFigures = { realised: null, unrealised: null, pnl: null, day_pnl: null }

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
  const byStrategy = new Map<string | null, StrategyPnl['positions']>()
  const positions: OwnPosition[] = []
  const stale: string[] = []
  const unknown: string[] = []

  for (const [key, { exchange, tradingsymbol, product }] of kinds) {
    const row = rows.get(key)
    const own = fills.filter((fill) => positionKey(fill) === key)
    const of = row ?? { exchange, tradingsymbol }
    const named = { exchange, tradingsymbol, product }
    const multiplier = row?.multiplier || multiplierOf(of)
    const carried = row?.overnight_quantity ?? 0
    const carriedBook = carriedOver(row)
    const filledBy = new Map<string | null, Sides>(carried === 0 ? [] : [[null, nothing()]])
    for (const { strategy } of own)
      filledBy.set(
        strategy,
        sidesOf(
          own.filter((fill) => fill.strategy === strategy),
          multiplier ?? 1,
        ),
      )
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
          ...figures(begun && withFills(begun, sides)),
        },
      ])
    }
    const whole = carriedBook && withFills(carriedBook, today)
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

/** What was carried over, as the broker's row says; undefined: it does not say at what price. */
function carriedOver(row: BrokerPosition | undefined): Book | undefined {
  const quantity = row?.overnight_quantity ?? 0
  if (!row || quantity === 0) return { cost: nothing(), close: nothing() }
  const [whole, m2m, day] =
    quantity > 0
      ? [row.buy_value, row.buy_m2m, row.day_buy_value]
      : [row.sell_value, row.sell_m2m, row.day_sell_value]
  if (whole === null || m2m === null || day === null) return undefined
  const at = (rupees: number): Sides =>
    quantity > 0
      ? { ...nothing(), bought: quantity, boughtE4: e4(rupees) }
      : { ...nothing(), sold: -quantity, soldE4: e4(rupees) }
  return { cost: at(whole - day), close: at(m2m - day) }
}

function sidesOf(fills: readonly Fill[], multiplier: number): Sides {
  const sides = nothing()
  for (const { transaction_type, quantity, average_price } of fills) {
    const valueE4 = e4(quantity * average_price * multiplier)
    if (transaction_type === 'BUY') {
      sides.bought += quantity
      sides.boughtE4 += valueE4
    } else {
      sides.sold += quantity
      sides.soldE4 += valueE4
    }
  }
  return sides
}

const plus = (a: Sides, b: Sides): Sides => ({
  bought: a.bought + b.bought,
  boughtE4: a.boughtE4 + b.boughtE4,
  sold: a.sold + b.sold,
  soldE4: a.soldE4 + b.soldE4,
})
const withFills = ({ cost, close }: Book, fills: Sides): Book => ({
  cost: plus(cost, fills),
  close: plus(close, fills),
})

function figuresOf({ cost, close }: Book, multiplier: number, mark: Mark | undefined): PnlFigures {
  const quantity = cost.bought - cost.sold
  if (quantity !== 0 && !mark) return UNKNOWN
  const heldE4 = e4(quantity * (mark?.last_price ?? 0) * multiplier)
  const pnlE4 = cost.soldE4 - cost.boughtE4 + heldE4
  const realisedE4 = realisedOf(cost)
  return {
    realised: realisedE4 / 10_000,
    unrealised: (pnlE4 - realisedE4) / 10_000,
    pnl: pnlE4 / 10_000,
    day_pnl: (close.soldE4 - close.boughtE4 + heldE4) / 10_000,
  }
}

function realisedOf({ bought, boughtE4, sold, soldE4 }: Sides): number {
  if (bought === 0 || sold === 0) return 0
  if (bought >= sold) return soldE4 - Math.round(boughtE4 * (sold / bought))
  return Math.round(soldE4 * (bought / sold)) - boughtE4
}

/** Of the side that is held. */
function averageOf({ bought, boughtE4, sold, soldE4 }: Sides, multiplier: number): number | null {
  if (bought === sold) return null
  const [quantity, valueE4] = bought > sold ? [bought, boughtE4] : [sold, soldE4]
  return Math.round(valueE4 / quantity / multiplier) / 10_000
}

const brokersOf = ({ quantity, realised, unrealised, pnl, m2m }: BrokerPosition) => ({
  ...{ quantity, realised, unrealised, pnl, m2m },
})

const total = (of: readonly PnlFigures[]): PnlFigures => ({
  realised: sum(of.map(({ realised }) => realised)),
  unrealised: sum(of.map(({ unrealised }) => unrealised)),
  pnl: sum(of.map(({ pnl }) => pnl)),
  day_pnl: sum(of.map(({ day_pnl }) => day_pnl)),
})

/** Of rupees with four decimals; null where one of them is. */
function sum(rupees: readonly (number | null)[]): number | null {
  let totalE4 = 0
  for (const each of rupees) {
    if (each === null) return null
    totalE4 += e4(each)
  }
  return totalE4 / 10_000
}

const minus = (a: number | null, b: number | null) =>
  a === null || b === null ? null : (e4(a) - e4(b)) / 10_000

/** Integers of 0.0001 rupee; -0 is 0. */
const e4 = (rupees: number) => Math.round(rupees * 10_000) + 0
