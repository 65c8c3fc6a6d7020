// What orders would tie up, as the margin endpoints answer. An order by itself has no benefit of what it hedges; the `final`
// of a basket has: a short option beside a long one of its kind and expiry can lose the distance of their strikes at most.
import type { Instrument } from '../instruments/instrument-book.ts'
import { chargesOf, NO_CHARGES } from './charges.ts'
import { unitMargin } from './margin.ts'
import type { Side } from './order.ts'

export interface ImaginedOrder {
  instrument: Instrument
  side: Side
  product: string
  quantity: number
  price: number
  multiplier: number
}

/** Of the margin of a derivative that is SPAN's; the rest is exposure. */
const SPAN_SHARE = 0.75

const isOption = ({ instrument_type: kind }: Instrument) => kind === 'CE' || kind === 'PE'
const fullMargin = ({ instrument, product, side, price, multiplier, quantity }: ImaginedOrder) =>
  unitMargin(instrument, product, side, price, multiplier) * quantity

export function orderMargin(order: ImaginedOrder, total = fullMargin(order)) {
  const { instrument, side, product, price, multiplier, quantity } = order
  const isPremium = isOption(instrument) && side === 'BUY'
  const isSpan = instrument.expiry !== '' && !isPremium
  const charges = chargesOf(instrument, product, side, price * quantity * multiplier)
  return {
    ...sums({ span: isSpan ? total * SPAN_SHARE : 0, exposure: isSpan ? total * (1 - SPAN_SHARE) : 0 }),
    type: instrument.exchange === 'MCX' ? 'commodity' : 'equity',
    tradingsymbol: instrument.tradingsymbol,
    exchange: instrument.exchange,
    option_premium: isPremium ? total : 0,
    var: isPremium || isSpan ? 0 : total,
    leverage: 1,
    charges,
    total,
  }
}

export function basketMargin(orders: readonly ImaginedOrder[]) {
  const each = orders.map((order) => orderMargin(order))
  const hedged = hedgedMargins(orders)
  const final = orders.map((order, index) => orderMargin(order, hedged[index]))
  return { initial: together(each), final: together(final), orders: each }
}

function hedgedMargins(orders: readonly ImaginedOrder[]): number[] {
  const left = orders.map(({ side, instrument, quantity }) =>
    side === 'BUY' && isOption(instrument) ? quantity : 0,
  )
  return orders.map((short) => {
    if (short.side === 'BUY' || !isOption(short.instrument)) return fullMargin(short)
    let open = short.quantity
    let margin = 0
    for (const [index, long] of orders.entries()) {
      const covered = isHedge(long.instrument, short.instrument) ? Math.min(open, left[index] ?? 0) : 0
      left[index] = (left[index] ?? 0) - covered
      open -= covered
      margin += covered * Math.abs(long.instrument.strike - short.instrument.strike) * short.multiplier
    }
    return Math.min(fullMargin(short), margin + fullMargin({ ...short, quantity: open }))
  })
}

const isHedge = (long: Instrument, short: Instrument) =>
  long.name === short.name && long.expiry === short.expiry && long.instrument_type === short.instrument_type

function together(margins: readonly ReturnType<typeof orderMargin>[]) {
  const sum = (of: (margin: ReturnType<typeof orderMargin>) => number) =>
    margins.reduce((total, margin) => total + of(margin), 0)
  return {
    ...sums({ span: sum(({ span }) => span), exposure: sum(({ exposure }) => exposure) }),
    ...{ type: '', tradingsymbol: '', exchange: '', leverage: 0, charges: NO_CHARGES },
    option_premium: sum((margin) => margin.option_premium),
    var: sum((margin) => margin.var),
    total: sum(({ total }) => total),
  }
}

const sums = (of: { span: number; exposure: number }) => ({
  ...of,
  ...{ additional: 0, bo: 0, cash: 0, pnl: { realised: 0, unrealised: 0 } },
})
