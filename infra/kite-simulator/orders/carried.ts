// Positions that are held overnight: those a test has set, and what was open in NRML when a day of the simulated clock ended.

import type { Trade } from './order.ts'
import { type NetPosition, netOf } from './positions.ts'

export interface CarriedPosition {
  exchange: string
  tradingsymbol: string
  instrument_token: number
  product: string
  /** Of contracts that trade in lots: lots. Negative: short. */
  quantity: number
  average_price: number
}

export class Carried {
  readonly #of = new Map<string, CarriedPosition[]>()

  /** In place of all that was. */
  set(userId: string, positions: readonly CarriedPosition[]): void {
    this.#of.set(userId, [...positions])
  }

  of(userId: string): readonly CarriedPosition[] {
    return this.#of.get(userId) ?? []
  }

  /** A day is over. Deliveries are holdings then, and intraday positions are squared off by the broker. */
  settle(userId: string, trades: readonly Trade[]): void {
    const net = netOf(trades, this.of(userId)).filter((one) => one.product === 'NRML' && one.quantity !== 0)
    this.#of.set(
      userId,
      net.map(({ quantity, average, ...of }: NetPosition) => ({ ...of, quantity, average_price: average })),
    )
  }
}
