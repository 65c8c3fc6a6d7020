import { expect, it } from 'vitest'
import { Quote } from '../prices/quote.ts'
import { Spot } from '../prices/spot.ts'
import type { User } from '../users/user-store.ts'
import { DepthFills } from './depth-fills.ts'
import { newOrder } from './order.ts'
import { parsePlace } from './request.ts'

const FUTURE = {
  ...{ instrument_token: 256_002, exchange_token: 1_000, tradingsymbol: 'NIFTYFUT', name: 'NIFTY' },
  ...{ expiry: '2026-12-31', strike: 0, tick_size: 0.05, lot_size: 50, instrument_type: 'FUT' },
  ...{ segment: 'NFO-FUT', exchange: 'NFO' },
}
const user: User = {
  ...{ user_id: 'P', api_key: 'k', api_secret: 's', user_name: 'P', redirect_url: null, postback_url: null },
  ...{ balance: 1e9, mutual_funds: [], session: null },
}

/** Offers of 60 at 101 and 200 at 102; bids of 75 at 99. */
function quoteAt(last: number, volume: number): Quote {
  const quote = new Quote(FUTURE, new Spot(1, 'X', 100, 0.1), 1, 0, 0)
  const level = (price: number, quantity: number) => ({ price, quantity, orders: 1 })
  const none = level(0, 0)
  Object.assign(quote.fields, { last_price: last, volume_traded: volume })
  quote.fields.depth = {
    buy: [level(99, 75), none, none, none, none],
    sell: [level(101, 60), level(102, 200), none, none, none],
  }
  return quote
}

function order(transaction_type: 'BUY' | 'SELL', quantity: number, price: number) {
  const leg = parsePlace({
    ...{ exchange: 'NFO', tradingsymbol: 'NIFTYFUT', transaction_type, product: 'NRML' },
    ...{ order_type: 'LIMIT', quantity: String(quantity), price: String(price) },
  })
  if (!leg.ok) throw new Error(leg.refusal.message)
  return newOrder(
    user,
    FUTURE,
    'regular',
    leg.value,
    { order_id: '1', guid: 'g', parent_order_id: undefined },
    0,
  )
}

it('takes whole lots of what the other side shows within the limit, best price first', () => {
  const fills = new DepthFills()
  expect(fills.arriving(order('BUY', 200, 102), quoteAt(100, 0))).toEqual([
    { price: 101, quantity: 50 },
    { price: 102, quantity: 150 },
  ])
  expect(new DepthFills().arriving(order('BUY', 200, 101), quoteAt(100, 0))).toEqual([
    { price: 101, quantity: 50 },
  ])
  expect(new DepthFills().arriving(order('SELL', 100, 99.5), quoteAt(100, 0))).toEqual([])
})

it('what was taken of a level is there again with the next tick only', () => {
  const fills = new DepthFills()
  const quote = quoteAt(100, 0)
  expect(fills.arriving(order('SELL', 50, 99), quote)).toEqual([{ price: 99, quantity: 50 }])
  expect(fills.arriving(order('SELL', 50, 99), quote)).toEqual([])
  fills.onTick(quote)
  expect(fills.arriving(order('SELL', 50, 99), quote)).toEqual([{ price: 99, quantity: 50 }])
})

it('an order that rests fills at its own price: by who crosses it, and by what traded beyond it', () => {
  const fills = new DepthFills()
  fills.onTick(quoteAt(100, 1_000))
  expect(fills.resting(order('BUY', 500, 100.5), quoteAt(100, 1_000))).toEqual([])
  const beyond = quoteAt(100, 1_120)
  fills.onTick(beyond)
  expect(fills.resting(order('BUY', 500, 100.5), beyond)).toEqual([{ price: 100.5, quantity: 100 }])
  // Of the 120, those 100 are gone: less than a lot is left.
  expect(fills.resting(order('BUY', 500, 100.5), beyond)).toEqual([])
  // At its price and not beyond: others may be before it in the queue.
  const at = quoteAt(100, 1_620)
  fills.onTick(at)
  expect(fills.resting(order('BUY', 500, 100), at)).toEqual([])
  expect(fills.resting(order('BUY', 100, 102), at)).toEqual([{ price: 102, quantity: 100 }])
})
