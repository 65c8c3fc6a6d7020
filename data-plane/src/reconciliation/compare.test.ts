import { type BrokerTrade, brokerPosition, brokerTrade } from '@ticker/shared/domain'
import { kiteOrder } from '@ticker/shared/kite-http'
import { describe, expect, it } from 'vitest'
import { type BrokerRecord, compare, type OurOrder, type OurRecord, settle } from './compare.ts'

const INFY = { exchange: 'NSE', tradingsymbol: 'INFY', product: 'MIS' }
const filled = { transaction_type: 'BUY', status: 'COMPLETE', filled_quantity: 5, average_price: 1_500.1234 }
const OURS: OurOrder = { order_id: '1', intent_id: 'ord_1', ...INFY, ...filled }
const order = (change: Record<string, unknown> = {}) =>
  kiteOrder.parse({ order_id: '1', ...INFY, ...filled, average_price: 1_500.123_36, quantity: 5, ...change })
const nulls = (shape: object) => Object.fromEntries(Object.keys(shape).map((name) => [name, null]))
const trade = (order_id: string, quantity: number, average_price = 1_500.12): BrokerTrade =>
  brokerTrade.parse({
    ...{ ...nulls(brokerTrade.shape), ...INFY, trade_id: 't', order_id, transaction_type: 'BUY' },
    ...{ quantity, average_price },
  })
const position = (quantity: number, change: Record<string, unknown> = {}) =>
  brokerPosition.parse({ ...nulls(brokerPosition.shape), ...INFY, quantity, ...change })

const ours = (change: Partial<OurRecord> = {}): OurRecord => ({
  ...{ orders: [OURS], unseen: [], inDoubt: [] },
  ...change,
})
type Parts = {
  orders?: ReturnType<typeof order>[]
  misshapen?: string[]
  trades?: BrokerTrade[]
  positions?: ReturnType<typeof position>[]
}
const theirs = ({
  orders = [order()],
  misshapen = [],
  trades = [trade('1', 2), trade('1', 3)],
  positions = [position(5)],
}: Parts = {}): BrokerRecord => ({
  book: { orders, misshapen: misshapen.map((order_id) => ({ order_id, tags: [] })), unreadable: 0 },
  trades: { rows: trades, omitted: 0 },
  positions: { net: { rows: positions, omitted: 0 }, day: { rows: [], omitted: 0 } },
})
const found = (own: OurRecord, broker: BrokerRecord) =>
  compare(own, broker).differences.map(({ kind, order_id, field, ours, broker }) =>
    [kind, order_id, field, ours, broker].filter((each) => each !== null).join(' '),
  )

describe('what differs', () => {
  it('nothing, though averages are of more decimals at the broker', () => {
    expect(compare(ours(), theirs())).toEqual({ differences: [], converted: [] })
  })

  it.each<[string, OurRecord, BrokerRecord, string[]]>([
    [
      'an order that is missing here, with what it filled',
      ours({ orders: [] }),
      theirs(),
      ['missing_here 1 COMPLETE', 'fills_differ 1 filled_quantity 5', 'position_differs quantity 0 5'],
    ],
    [
      'an order that the broker does not show',
      ours({ orders: [{ ...OURS, status: 'OPEN', filled_quantity: 0, average_price: 0 }] }),
      theirs({ orders: [], trades: [], positions: [] }),
      ['missing_at_broker 1 OPEN'],
    ],
    [
      'one that is there and cannot be read is not missing',
      ours(),
      theirs({ orders: [], misshapen: ['1'] }),
      [],
    ],
    [
      'a status',
      ours(),
      theirs({ orders: [order({ status: 'CANCELLED' })] }),
      ['order_differs 1 status COMPLETE CANCELLED'],
    ],
    [
      'what was filled, and at what price',
      ours(),
      theirs({
        orders: [order({ filled_quantity: 6, average_price: 1_501 })],
        trades: [trade('1', 6, 1_501)],
        positions: [position(6)],
      }),
      [
        'order_differs 1 filled_quantity 5 6',
        'order_differs 1 average_price 1500.1234 1501',
        'fills_differ 1 filled_quantity 5 6',
        'position_differs quantity 5 6',
      ],
    ],
    [
      'trades at another price than the order says',
      ours(),
      theirs({ trades: [trade('1', 5, 1_499)] }),
      ['fills_differ 1 average_price 1500.1234 1499'],
    ],
    [
      'trades of no order that is known',
      ours(),
      theirs({ trades: [trade('1', 5), trade('9', 2)] }),
      ['fills_differ 9 filled_quantity 2'],
    ],
    [
      'a position that fills and what was carried over do not explain',
      ours(),
      theirs({ positions: [position(8, { overnight_quantity: 2 })] }),
      ['position_differs quantity 7 8'],
    ],
    ['a position without a row', ours(), theirs({ positions: [] }), ['position_differs quantity 5 0']],
    [
      'an order that was accepted and is in no book',
      ours({ unseen: [{ intent_id: 'ord_2', order_id: '2', ...INFY }] }),
      theirs(),
      ['missing_at_broker 2 ACCEPTED'],
    ],
    [
      'an order in doubt',
      ours({ inDoubt: [{ intent_id: 'ord_2', order_id: null, ...INFY }] }),
      theirs(),
      ['in_doubt UNKNOWN'],
    ],
  ])('%s', (_, own, broker, differences) => {
    expect(found(own, broker)).toEqual(differences)
  })

  it('what was carried over and sold today is explained; a short is negative', () => {
    const sold = { ...OURS, transaction_type: 'SELL' }
    const positions = [position(-3, { overnight_quantity: 2 })]
    expect(found(ours({ orders: [sold] }), theirs({ positions }))).toEqual([])
  })

  it('a position that was converted is no drift, and is named', () => {
    const positions = [position(2), position(3, { product: 'NRML' })]
    expect(compare(ours(), theirs({ positions }))).toMatchObject({
      differences: [],
      converted: [
        { product: 'MIS', ours: 5, broker: 2 },
        { product: 'NRML', ours: 0, broker: 3 },
      ],
    })
  })
})

describe('two looks', () => {
  const look = (held: number, orders: OurOrder[] = [OURS]) =>
    compare(ours({ orders }), theirs({ positions: [position(held)] })).differences

  it('what differs at the first alone is mended', () => {
    expect(settle(look(8), look(8), look(5))).toMatchObject({ drift: [], mended: [{ broker: 8 }] })
  })

  it('what the taken over book mends in part is drift as it is then, and not mended', () => {
    const first = compare(ours({ orders: [] }), theirs({ positions: [position(7)] })).differences
    expect(settle(first, look(7), look(7))).toMatchObject({
      drift: [{ kind: 'position_differs', ours: 5, broker: 7 }],
      mended: [{ kind: 'missing_here' }, { kind: 'fills_differ' }],
    })
  })

  it('what differs at the second alone is on its way', () => {
    expect(settle(look(5), look(5), look(8))).toEqual({ drift: [], mended: [] })
  })

  it('a position that is traded meanwhile is drift if it differs by as much, and not if by something else', () => {
    const more = { ...OURS, order_id: '2' }
    const second = (held: number) =>
      look(held, [OURS, more]).filter(({ kind }) => kind === 'position_differs')
    expect(settle(look(8), look(8), second(13)).drift).toHaveLength(1)
    expect(settle(look(8), look(8), second(11)).drift).toEqual([])
  })
})
