// Positions from the day's trades, with the 29 fields of the broker's answer. A positive quantity is long.
import type { Trade } from './order.ts'

export interface Position {
  tradingsymbol: string
  exchange: string
  instrument_token: number
  product: string
  quantity: number
  overnight_quantity: number
  multiplier: number
  average_price: number
  close_price: number
  last_price: number
  value: number
  pnl: number
  m2m: number
  unrealised: number
  realised: number
  buy_quantity: number
  buy_price: number
  buy_value: number
  buy_m2m: number
  sell_quantity: number
  sell_price: number
  sell_value: number
  sell_m2m: number
  day_buy_quantity: number
  day_buy_price: number
  day_buy_value: number
  day_sell_quantity: number
  day_sell_price: number
  day_sell_value: number
}

type Sums = { trade: Trade; buys: number; buyValue: number; sells: number; sellValue: number }

export function positionsOf(
  trades: readonly Trade[],
  priceOf: (token: number) => { last: number; close: number },
  multiplierOf: (token: number) => number,
): Position[] {
  const sums = new Map<string, Sums>()
  for (const trade of trades) {
    const key = `${trade.instrument_token}:${trade.product}`
    const sum = sums.get(key) ?? { trade, buys: 0, buyValue: 0, sells: 0, sellValue: 0 }
    sums.set(key, sum)
    const value = trade.quantity * trade.average_price * multiplierOf(trade.instrument_token)
    if (trade.transaction_type === 'BUY') {
      sum.buys += trade.quantity
      sum.buyValue += value
    } else {
      sum.sells += trade.quantity
      sum.sellValue += value
    }
  }
  return [...sums.values()].map((sum) => {
    const token = sum.trade.instrument_token
    return position(sum, priceOf(token), multiplierOf(token))
  })
}

function position(
  { trade, buys, buyValue, sells, sellValue }: Sums,
  price: { last: number; close: number },
  multiplier: number,
): Position {
  const quantity = buys - sells
  const buyPrice = buys === 0 ? 0 : buyValue / buys / multiplier
  const sellPrice = sells === 0 ? 0 : sellValue / sells / multiplier
  const average = quantity > 0 ? buyPrice : quantity < 0 ? sellPrice : 0
  const pnl = sellValue - buyValue + quantity * price.last * multiplier
  const realised = Math.min(buys, sells) * (sellPrice - buyPrice) * multiplier
  return {
    tradingsymbol: trade.tradingsymbol,
    exchange: trade.exchange,
    instrument_token: trade.instrument_token,
    product: trade.product,
    quantity,
    overnight_quantity: 0,
    multiplier,
    average_price: average,
    close_price: price.close,
    last_price: price.last,
    value: sellValue - buyValue,
    pnl,
    m2m: pnl,
    unrealised: pnl - realised,
    realised,
    buy_quantity: buys,
    buy_price: buyPrice,
    buy_value: buyValue,
    buy_m2m: buyValue,
    sell_quantity: sells,
    sell_price: sellPrice,
    sell_value: sellValue,
    sell_m2m: sellValue,
    day_buy_quantity: buys,
    day_buy_price: buyPrice,
    day_buy_value: buyValue,
    day_sell_quantity: sells,
    day_sell_price: sellPrice,
    day_sell_value: sellValue,
  }
}
