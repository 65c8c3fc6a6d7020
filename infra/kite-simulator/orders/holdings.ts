// Shares in the depository: what a user starts with, and what was bought for delivery on an earlier day. A purchase is T1 on
// the next day of the simulated clock and delivered on the day after.
import { istDate } from '../ist-time.ts'
import { Authorisations } from './authorisations.ts'
import type { Trade } from './order.ts'

export interface HoldingOptions {
  exchange: string
  tradingsymbol: string
  quantity: number
  average_price: number
  /** Whose sale has to be authorised at the depository each day; without it the user has signed for all of them. */
  needs_authorisation?: boolean | undefined
}

export interface Held {
  tradingsymbol: string
  isin: string
  token: number
  held: number
}

interface Lot {
  exchange: string
  tradingsymbol: string
  instrument_token: number
  delivered: number
  t1: number
  cost: number
  needsAuthorisation: boolean
}

export class Holdings {
  readonly authorisations: Authorisations
  readonly #lots = new Map<string, Map<number, Lot>>()

  constructor(hasHours: () => boolean) {
    this.authorisations = new Authorisations(hasHours)
  }

  /** In place of what was held of it. */
  hold(
    userId: string,
    token: number,
    { exchange, tradingsymbol, quantity, average_price, needs_authorisation = false }: HoldingOptions,
  ): void {
    const lot = this.#lot(userId, { exchange, tradingsymbol, instrument_token: token })
    lot.delivered = quantity
    lot.t1 = 0
    lot.cost = quantity * average_price
    lot.needsAuthorisation = needs_authorisation
  }

  /** What cannot be sold before somebody has authorised it. */
  toAuthorise(userId: string): Held[] {
    return [...(this.#lots.get(userId)?.values() ?? [])]
      .filter(({ needsAuthorisation, delivered }) => needsAuthorisation && delivered > 0)
      .map(({ tradingsymbol, instrument_token: token, delivered: held }) => ({
        ...{ tradingsymbol, isin: isinOf(token), token, held },
      }))
  }

  /** Whether a sale that takes the day's to `quantity` is more than is authorised. Of what is not held, nothing has to be. */
  lacksAuthorisation(userId: string, token: number, quantity: number, nowMs: number): boolean {
    const lot = this.#lots.get(userId)?.get(token)
    if (!lot?.needsAuthorisation || lot.delivered === 0) return false
    return Math.min(quantity, lot.delivered) > this.authorisations.authorised(userId, token, nowMs)
  }

  /** A day is over: what was T1 is delivered, and its trades for delivery are T1, or gone. */
  settle(userId: string, trades: readonly Trade[]): void {
    for (const lot of this.#lots.get(userId)?.values() ?? []) {
      lot.delivered += lot.t1
      lot.t1 = 0
    }
    for (const trade of trades) {
      if (trade.product !== 'CNC') continue
      const lot = this.#lot(userId, trade)
      const held = lot.delivered + lot.t1
      if (trade.transaction_type === 'BUY') {
        lot.t1 += trade.quantity
        lot.cost += trade.quantity * trade.average_price
        continue
      }
      const sold = Math.min(trade.quantity, held)
      const ofT1 = Math.min(sold, lot.t1)
      lot.cost -= held === 0 ? 0 : (lot.cost / held) * sold
      lot.t1 -= ofT1
      lot.delivered -= sold - ofT1
    }
  }

  rows(
    userId: string,
    today: readonly Trade[],
    priceOf: (token: number) => { last: number; close: number },
    nowMs: number,
  ) {
    const held = [...(this.#lots.get(userId)?.values() ?? [])].filter(
      ({ delivered, t1 }) => delivered + t1 > 0,
    )
    return held.map((lot) => {
      const { last, close } = priceOf(lot.instrument_token)
      const quantity = lot.delivered + lot.t1
      const average = lot.cost / quantity
      const authorised = this.authorisations.authorised(userId, lot.instrument_token, nowMs)
      const sold = today
        .filter((trade) => trade.product === 'CNC' && trade.instrument_token === lot.instrument_token)
        .reduce((sum, trade) => sum + (trade.transaction_type === 'SELL' ? trade.quantity : 0), 0)
      return {
        tradingsymbol: lot.tradingsymbol,
        exchange: lot.exchange,
        instrument_token: lot.instrument_token,
        isin: isinOf(lot.instrument_token),
        product: 'CNC',
        price: 0,
        quantity: lot.delivered,
        used_quantity: Math.min(sold, lot.delivered),
        t1_quantity: lot.t1,
        realised_quantity: lot.delivered,
        authorised_quantity: authorised,
        authorised_date: authorised > 0 ? `${istDate(nowMs)} 00:00:00` : null,
        opening_quantity: quantity,
        short_quantity: 0,
        collateral_quantity: 0,
        collateral_type: '',
        discrepancy: false,
        average_price: average,
        last_price: last,
        close_price: close,
        pnl: quantity * (last - average),
        day_change: last - close,
        day_change_percentage: close > 0 ? ((last - close) / close) * 100 : 0,
        mtf: { quantity: 0, used_quantity: 0, average_price: 0, value: 0, initial_margin: 0 },
      }
    })
  }

  #lot(userId: string, of: Pick<Lot, 'exchange' | 'tradingsymbol' | 'instrument_token'>): Lot {
    const lots = this.#lots.get(userId) ?? new Map<number, Lot>()
    this.#lots.set(userId, lots)
    const { exchange, tradingsymbol, instrument_token } = of
    const lot = lots.get(instrument_token) ?? {
      ...{ exchange, tradingsymbol, instrument_token },
      ...{ delivered: 0, t1: 0, cost: 0, needsAuthorisation: false },
    }
    lots.set(instrument_token, lot)
    return lot
  }
}

/** Invented, of the right shape. */
const isinOf = (token: number) => `INE${String(token).padStart(9, '0')}`
