// What orders would tie up and cost, asked of the broker before they are sent. Reads: nothing here can place an order.
import type {
  AccountAnswer,
  AccountRead,
  AccountReadRefused,
  BasketMargins,
  Margins,
  OrderCharges,
  TriggerRanges,
  ValuedOrder,
} from '@ticker/shared/domain'
import {
  getBasketMargins,
  getCharges,
  getMargins,
  getTriggerRanges,
  type KiteHttp,
} from '@ticker/shared/kite-http'
import type { ReadQuotes } from '../market-data/quotes.ts'
import type { AccountReads } from './account-reads.ts'
import { rupees } from './own-pnl.ts'
import { keyOf, ownPrices } from './own-prices.ts'

type Answer<T> = { answer: T } | AccountReadRefused

export interface OrderValuesDeps {
  kite: KiteHttp
  reads: AccountReads
  quotes: ReadQuotes
  answered(accountId: string): AccountAnswer
}

export interface OrderValues {
  margins(account: AccountRead, orders: readonly ValuedOrder[]): Promise<Answer<Margins>>
  basket(
    account: AccountRead,
    orders: readonly ValuedOrder[],
    considerPositions: boolean,
  ): Promise<Answer<BasketMargins>>
  charges(account: AccountRead, orders: readonly ValuedOrder[]): Promise<Answer<OrderCharges>>
  triggerRanges(
    account: AccountRead,
    side: 'buy' | 'sell',
    instruments: readonly string[],
  ): Promise<Answer<TriggerRanges>>
}

export function createOrderValues({ kite, reads, quotes, answered }: OrderValuesDeps): OrderValues {
  return {
    async margins(account, orders) {
      const outcome = await reads.read(account, 'margins', (session) => getMargins(kite, session, orders))
      if (!outcome.ok) return outcome.refused
      return { answer: { ...answered(account.account_id), orders: outcome.data } }
    },
    async basket(account, orders, considerPositions) {
      const outcome = await reads.read(account, 'basket_margins', (session) =>
        getBasketMargins(kite, session, orders, considerPositions),
      )
      if (!outcome.ok) return outcome.refused
      return { answer: { ...answered(account.account_id), ...outcome.data } }
    },
    async charges(account, orders) {
      const priceOf = await ownPrices(quotes, account.owner, orders.filter(isUnpriced))
      const priced: { order: ValuedOrder & { average_price: number }; price_from: 'order' | 'tick' }[] = []
      for (const order of orders) {
        const stated = statedPrice(order)
        const average_price = stated ?? priceOf(order)?.last_price
        if (average_price === undefined) return { refusal: 'price_unknown', detail: keyOf(order) }
        priced.push({
          order: { ...order, average_price },
          price_from: stated === undefined ? 'tick' : 'order',
        })
      }
      const outcome = await reads.read(account, 'charges', (session) =>
        getCharges(
          kite,
          session,
          priced.map(({ order }) => order),
        ),
      )
      if (!outcome.ok) return outcome.refused
      const lines = outcome.data.flatMap((line, index) => {
        const price_from = priced[index]?.price_from
        return price_from ? [{ ...line, price_from }] : []
      })
      const total = rupees(lines.reduce((sum, { charges }) => sum + (charges.total ?? 0), 0))
      return { answer: { ...answered(account.account_id), orders: lines, total } }
    },
    async triggerRanges(account, side, instruments) {
      const outcome = await reads.read(account, 'trigger_ranges', (session) =>
        getTriggerRanges(kite, session, side, instruments),
      )
      if (!outcome.ok) return outcome.refused
      return { answer: { ...answered(account.account_id), ranges: outcome.data } }
    },
  }
}

/** At which the order would fill at the earliest; a MARKET order states none (a cover order's trigger is its second leg's). */
function statedPrice(order: ValuedOrder): number | undefined {
  const { order_type, price, trigger_price, average_price } = order
  return average_price ?? (order_type === 'MARKET' ? undefined : (price ?? trigger_price))
}

const isUnpriced = (order: ValuedOrder) => statedPrice(order) === undefined
