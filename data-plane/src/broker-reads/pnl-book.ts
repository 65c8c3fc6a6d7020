// The arithmetic of profit and loss: what was bought and sold of one position, in integers of 0.0001 rupee. Realised is at average
// cost: what was bought and what was sold, each at the average of all of it, what was carried over among it, as the broker does it.
// So the order of fills does not matter.
import type { BrokerPosition, PnlFigures } from '@ticker/shared/domain'

export interface Fill {
  exchange: string
  tradingsymbol: string
  product: string
  transaction_type: string
  quantity: number
  /** 0: the broker has not said it. */
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
export interface Sides {
  bought: number
  boughtE4: number
  sold: number
  soldE4: number
}

/** Two of them: carried over at its cost, and at its last close. */
export interface Book {
  cost: Sides
  close: Sides
}

export const nothing = (): Sides => ({ bought: 0, boughtE4: 0, sold: 0, soldE4: 0 })
export const UNKNOWN: PnlFigures = { realised: null, unrealised: null, pnl: null, day_pnl: null }

/** What was carried over, as the broker's row says; undefined: it does not say at what price. */
export function carriedOver(row: BrokerPosition | undefined): Book | undefined {
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

export const isUnpriced = ({ average_price }: Fill) => average_price === 0

export function sidesOf(fills: readonly Fill[], multiplier: number): Sides {
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

export const plus = (a: Sides, b: Sides): Sides => ({
  bought: a.bought + b.bought,
  boughtE4: a.boughtE4 + b.boughtE4,
  sold: a.sold + b.sold,
  soldE4: a.soldE4 + b.soldE4,
})
export const withFills = ({ cost, close }: Book, fills: Sides): Book => ({
  cost: plus(cost, fills),
  close: plus(close, fills),
})

export function figuresOf({ cost, close }: Book, multiplier: number, mark: Mark | undefined): PnlFigures {
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
export function averageOf({ bought, boughtE4, sold, soldE4 }: Sides, multiplier: number): number | null {
  if (bought === sold) return null
  const [quantity, valueE4] = bought > sold ? [bought, boughtE4] : [sold, soldE4]
  return Math.round(valueE4 / quantity / multiplier) / 10_000
}

export const total = (of: readonly PnlFigures[]): PnlFigures => ({
  realised: sum(of.map(({ realised }) => realised)),
  unrealised: sum(of.map(({ unrealised }) => unrealised)),
  pnl: sum(of.map(({ pnl }) => pnl)),
  day_pnl: sum(of.map(({ day_pnl }) => day_pnl)),
})

/** Of rupees with four decimals; null where one of them is. */
export function sum(rupees: readonly (number | null)[]): number | null {
  let totalE4 = 0
  for (const each of rupees) {
    if (each === null) return null
    totalE4 += e4(each)
  }
  return totalE4 / 10_000
}

export const minus = (a: number | null, b: number | null) =>
  a === null || b === null ? null : (e4(a) - e4(b)) / 10_000

/** Integers of 0.0001 rupee; -0 is 0. */
const e4 = (rupees: number) => Math.round(rupees * 10_000) + 0
