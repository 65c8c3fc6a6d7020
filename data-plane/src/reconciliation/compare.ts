// The comparison itself: pure, of two records of one account that were read one after the other. What differs at one look alone may
// have been on its way: only what differs in the same way at a second one is drift.
import type { BrokerTrade, ReconciliationDifference as Difference } from '@ticker/shared/domain'
import type { KitePositions, OrderBook, Rows } from '@ticker/shared/kite-http'

export interface OurOrder {
  order_id: string
  intent_id: string | null
  exchange: string
  tradingsymbol: string
  product: string
  transaction_type: string
  status: string
  filled_quantity: number
  average_price: number
}

/** An order that is ours, of which no record was ever seen, or of which nobody knows whether there is one. */
export interface OurIntent {
  intent_id: string
  order_id: string | null
  exchange: string
  tradingsymbol: string
  product: string
}

export interface OurRecord {
  /** Of today, and those that the broker's book names. */
  orders: readonly OurOrder[]
  unseen: readonly OurIntent[]
  inDoubt: readonly OurIntent[]
}

export interface BrokerRecord {
  book: OrderBook
  trades: Rows<BrokerTrade>
  positions: KitePositions
}

export interface Comparison {
  differences: Difference[]
  converted: Difference[]
}

/** Averages are of six decimals at the broker, of four here. */
const PRICE_NOISE = 0.0001
/** Of an average made from trades whose prices are rounded to paise. */
const AVERAGE_NOISE = 0.01

const nameless = { exchange: null, tradingsymbol: null, product: null }
const named = ({
  exchange,
  tradingsymbol,
  product,
}: {
  exchange: string
  tradingsymbol: string
  product?: string | null
}) => ({
  ...{ exchange, tradingsymbol, product: product ?? null },
})

export function compare(ours: OurRecord, theirs: BrokerRecord): Comparison {
  const { differences, converted } = comparePositions(ours, theirs)
  return {
    differences: [...compareOrders(ours, theirs), ...compareFills(ours, theirs), ...differences],
    converted,
  }
}

/**
 * `first`: of what was read first, before the book was taken over; `taken`: of the same, after; `second`: of what was read
 * again. What differs in the same way in the last two is drift; what the last does not know at all is mended.
 */
export function settle(
  first: readonly Difference[],
  taken: readonly Difference[],
  second: readonly Difference[],
) {
  const still = new Set(taken.map(keyOf))
  const subjects = new Set(second.map(subjectOf))
  return {
    drift: second.filter((each) => still.has(keyOf(each))),
    mended: first.filter((each) => !subjects.has(subjectOf(each))),
  }
}

const subjectOf = ({ ours: _, broker: __, ...of }: Difference) => JSON.stringify(Object.values(of))

/** A position that is traded meanwhile differs by as much as before; anything else is the same word for word. */
function keyOf(difference: Difference): string {
  const { kind, ours, broker } = difference
  const isOfPosition = kind === 'position_differs' && typeof ours === 'number' && typeof broker === 'number'
  return JSON.stringify([subjectOf(difference), ...(isOfPosition ? [ours - broker] : [ours, broker])])
}

function compareOrders(ours: OurRecord, { book }: BrokerRecord): Difference[] {
  const known = new Map(ours.orders.map((order) => [order.order_id, order]))
  const inBook = new Map(book.orders.map((order) => [order.order_id, order]))
  const misshapen = new Set(book.misshapen.map(({ order_id }) => order_id))
  const found: Difference[] = []
  const isThere = (orderId: string | null) =>
    orderId !== null && (inBook.has(orderId) || misshapen.has(orderId))
  for (const order of book.orders) {
    const own = known.get(order.order_id)
    const of = { order_id: order.order_id, intent_id: own?.intent_id ?? null, ...named(order) }
    if (!own) {
      found.push({ kind: 'missing_here', ...of, field: null, ours: null, broker: order.status })
      continue
    }
    const differs = (field: string, ours: string | number, broker: string | number) =>
      found.push({ kind: 'order_differs', ...of, field, ours, broker })
    if (own.status !== order.status) differs('status', own.status, order.status)
    if (own.filled_quantity !== order.filled_quantity)
      differs('filled_quantity', own.filled_quantity, order.filled_quantity)
    if (Math.abs(own.average_price - order.average_price) > PRICE_NOISE)
      differs('average_price', own.average_price, order.average_price)
  }
  for (const own of ours.orders) {
    if (isThere(own.order_id)) continue
    const of = { order_id: own.order_id, intent_id: own.intent_id, ...named(own) }
    found.push({ kind: 'missing_at_broker', ...of, field: null, ours: own.status, broker: null })
  }
  for (const intent of ours.unseen) {
    if (isThere(intent.order_id)) continue
    found.push({ kind: 'missing_at_broker', ...intent, field: null, ours: 'ACCEPTED', broker: null })
  }
  for (const intent of ours.inDoubt)
    found.push({ kind: 'in_doubt', ...intent, field: null, ours: 'UNKNOWN', broker: null })
  return found
}

function compareFills(ours: OurRecord, { trades }: BrokerRecord): Difference[] {
  const traded = new Map<string, { quantity: number; value: number }>()
  for (const { order_id, quantity, average_price } of trades.rows) {
    const sum = traded.get(order_id) ?? { quantity: 0, value: 0 }
    traded.set(order_id, { quantity: sum.quantity + quantity, value: sum.value + quantity * average_price })
  }
  const found: Difference[] = []
  for (const own of ours.orders) {
    const { quantity, value } = traded.get(own.order_id) ?? { quantity: 0, value: 0 }
    traded.delete(own.order_id)
    const of = {
      kind: 'fills_differ',
      order_id: own.order_id,
      intent_id: own.intent_id,
      ...named(own),
    } as const
    if (quantity !== own.filled_quantity)
      found.push({ ...of, field: 'filled_quantity', ours: own.filled_quantity, broker: quantity })
    else if (quantity > 0 && Math.abs(value / quantity - own.average_price) > AVERAGE_NOISE)
      found.push({ ...of, field: 'average_price', ours: own.average_price, broker: value / quantity })
  }
  for (const [order_id, { quantity }] of traded)
    found.push({
      ...{ kind: 'fills_differ', order_id, intent_id: null, ...nameless },
      ...{ field: 'filled_quantity', ours: null, broker: quantity },
    })
  return found
}

function comparePositions(ours: OurRecord, { positions }: BrokerRecord): Comparison {
  type Line = { exchange: string; tradingsymbol: string; product: string; ours: number; broker: number }
  const lines = new Map<string, Line>()
  const line = (of: Pick<Line, 'exchange' | 'tradingsymbol' | 'product'>): Line => {
    const { exchange, tradingsymbol, product } = of
    const key = `${exchange}:${tradingsymbol}:${product}`
    const known = lines.get(key) ?? { exchange, tradingsymbol, product, ours: 0, broker: 0 }
    lines.set(key, known)
    return known
  }
  for (const row of positions.net.rows) {
    const of = line(row)
    of.broker += row.quantity
    of.ours += row.overnight_quantity ?? 0
  }
  for (const order of ours.orders)
    if (order.filled_quantity > 0)
      line(order).ours += order.transaction_type === 'BUY' ? order.filled_quantity : -order.filled_quantity
  const differing = [...lines.values()].filter((each) => each.ours !== each.broker)
  // What is less in one product and more in another was converted there.
  const isConverted = ({ exchange, tradingsymbol }: Line) =>
    differing
      .filter((each) => each.exchange === exchange && each.tradingsymbol === tradingsymbol)
      .reduce((sum, each) => sum + each.broker - each.ours, 0) === 0
  const difference = ({ ours, broker, ...of }: Line): Difference => ({
    ...{ kind: 'position_differs', order_id: null, intent_id: null, ...of },
    ...{ field: 'quantity', ours, broker },
  })
  return {
    differences: differing.filter((each) => !isConverted(each)).map(difference),
    converted: differing.filter(isConverted).map(difference),
  }
}
