// Positions from the day's trades and what was carried over, with the 29 fields of the broker's answer. A positive quantity is long.
import type { CarriedPosition } from './carried.ts'
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

type Kind = Pick<Position, 'exchange' | 'tradingsymbol' | 'instrument_token' | 'product'>
/** Quantities, and values without the multiplier. */
type Sums = {
  of: Kind
  carried: number
  carriedAt: number
  buys: number
  buyValue: number
  sells: number
  sellValue: number
}
export type NetPosition = Kind & { quantity: number; average: number }

/** Of today's trades, and of what was carried over. */
export function positionsOf(
  trades: readonly Trade[],
  carried: readonly CarriedPosition[],
  priceOf: (token: number) => { last: number; close: number },
  multiplierOf: (token: number) => number,
): Position[] {
  return sumsOf(trades, carried).map((sum) => {
    const token = sum.of.instrument_token
    return position(sum, priceOf(token), multiplierOf(token))
  })
}

export function netOf(trades: readonly Trade[], carried: readonly CarriedPosition[]): NetPosition[] {
  return sumsOf(trades, carried).map((sum) => {
    const { buys, sells } = sidesAt(sum, sum.carriedAt)
    const quantity = buys.quantity - sells.quantity
    return { ...sum.of, quantity, average: averageOf(quantity > 0 ? buys : sells) }
  })
}

function sumsOf(trades: readonly Trade[], carried: readonly CarriedPosition[]): Sums[] {
  const sums = new Map<string, Sums>()
  const sumOf = ({ exchange, tradingsymbol, instrument_token, product }: Kind): Sums => {
    const key = `${instrument_token}:${product}`
    const known = sums.get(key) ?? {
      of: { exchange, tradingsymbol, instrument_token, product },
      ...{ carried: 0, carriedAt: 0, buys: 0, buyValue: 0, sells: 0, sellValue: 0 },
    }
    sums.set(key, known)
    return known
  }
  for (const held of carried) {
    const sum = sumOf(held)
    sum.carried = held.quantity
    sum.carriedAt = held.average_price
  }
  for (const trade of trades) {
    const sum = sumOf(trade)
    const value = trade.quantity * trade.average_price
    if (trade.transaction_type === 'BUY') {
      sum.buys += trade.quantity
      sum.buyValue += value
    } else {
      sum.sells += trade.quantity
      sum.sellValue += value
    }
  }
  return [...sums.values()]
}

type Side = { quantity: number; value: number }
const averageOf = ({ quantity, value }: Side) => (quantity === 0 ? 0 : value / quantity)

/** Both sides, what was carried over at that price among them. */
function sidesAt({ carried, buys, buyValue, sells, sellValue }: Sums, price: number) {
  const [long, short] = [Math.max(carried, 0), Math.max(-carried, 0)]
  return {
    buys: { quantity: buys + long, value: buyValue + long * price },
    sells: { quantity: sells + short, value: sellValue + short * price },
  }
}

function position(sum: Sums, price: { last: number; close: number }, multiplier: number): Position {
  const { buys, sells } = sidesAt(sum, sum.carriedAt)
  const atClose = sidesAt(sum, price.close)
  const quantity = buys.quantity - sells.quantity
  const [buyPrice, sellPrice] = [averageOf(buys), averageOf(sells)]
  const booked = (sells.value - buys.value) * multiplier
  const pnl = booked + quantity * price.last * multiplier
  const realised = Math.min(buys.quantity, sells.quantity) * (sellPrice - buyPrice) * multiplier
  return {
    ...sum.of,
    quantity,
    overnight_quantity: sum.carried,
    multiplier,
    average_price: quantity > 0 ? buyPrice : quantity < 0 ? sellPrice : 0,
    close_price: price.close,
    last_price: price.last,
    value: booked,
    pnl,
    m2m: (atClose.sells.value - atClose.buys.value + quantity * price.last) * multiplier,
    unrealised: pnl - realised,
    realised,
    buy_quantity: buys.quantity,
    buy_price: buyPrice,
    buy_value: buys.value * multiplier,
    buy_m2m: atClose.buys.value * multiplier,
    sell_quantity: sells.quantity,
    sell_price: sellPrice,
    sell_value: sells.value * multiplier,
    sell_m2m: atClose.sells.value * multiplier,
    day_buy_quantity: sum.buys,
    day_buy_price: averageOf({ quantity: sum.buys, value: sum.buyValue }),
    day_buy_value: sum.buyValue * multiplier,
    day_sell_quantity: sum.sells,
    day_sell_price: averageOf({ quantity: sum.sells, value: sum.sellValue }),
    day_sell_value: sum.sellValue * multiplier,
  }
}
