import type { AccountReading, QuotesRequest } from '@ticker/shared/domain'
import { Registry } from 'prom-client'
import { beforeEach, expect, it } from 'vitest'
import { createInstrumentDirectory } from '../market-data/instrument-directory.ts'
import { fakeClock } from '../testing/fake-clock.ts'
import { ownedAccount } from '../testing/owned-accounts.ts'
import { createAccountReads } from './account-reads.ts'
import { createReadGovernor } from './governor.ts'
import type { Fill } from './pnl-book.ts'
import { createPortfolio } from './portfolio.ts'

const INFY = 408_065
const GOLD = 9_000_967
const named = { segment: '', expiry: null, strike: 0, tick_size: 0.05, lot_size: 1, instrument_type: 'EQ' }
const directory = createInstrumentDirectory([
  { ...named, instrument_token: INFY, exchange: 'NSE', tradingsymbol: 'INFY', name: 'INFOSYS' },
  { ...named, instrument_token: GOLD, exchange: 'MCX', tradingsymbol: 'GOLD26DECFUT', name: 'GOLD' },
  { ...named, instrument_token: 1_031, exchange: 'MCX', tradingsymbol: 'NEW26DECFUT', name: 'NEW' },
])

let said: Record<string, unknown>
let state: 'live' | 'stale'
let price: number
let questions: QuotesRequest[]
let sent: unknown[]
let forms: string[]
let registry: Registry
let fills: Fill[]
let read: (reading: AccountReading) => Promise<unknown>

beforeEach(() => {
  const clock = fakeClock()
  registry = new Registry()
  said = {}
  state = 'live'
  price = 1_600
  questions = []
  fills = []
  sent = []
  forms = []
  const portfolio = createPortfolio({
    ...{ clock, registry, isSynthetic: true, isPaper: () => false, decide: async () => undefined },
    directory: () => directory,
    fills: { since: async () => fills },
    kite: {
      root: 'http://broker',
      timeoutMs: 1_000,
      async fetch(url, init) {
        if (init?.body instanceof URLSearchParams) forms.push(String(init.body))
        else if (init?.body) sent.push(JSON.parse(String(init.body)))
        return new Response(JSON.stringify({ status: 'success', data: said[new URL(String(url)).pathname] }))
      },
    },
    reads: createAccountReads({
      ...{ clock, registry },
      governor: createReadGovernor({ clock, registry, name: 'account', perSecondMax: 6 }),
      account: () => ownedAccount('a'),
      onSessionDead: async () => {},
    }),
    quotes(request) {
      questions.push(request)
      const tick = { mode: 'ltp' as const, tradable: true, last_price: price, bid: null, ask: null }
      const quote = { state, source: 'ticks' as const, age_ms: 30, tick }
      return {
        quotes: [
          { ...quote, instrument_token: INFY, exchange: 'NSE', tradingsymbol: 'INFY' },
          { ...quote, instrument_token: GOLD, exchange: 'MCX', tradingsymbol: 'GOLD26DECFUT' },
        ],
        ...{ unknown: [], fallback: null, synthetic: true, answered_at: '' },
      }
    },
  })
  read = async (reading) => {
    const given = await portfolio({ owner: 'desk', account_id: 'a', reading })
    return 'answer' in given ? given.answer : given
  }
})

const infy = { exchange: 'NSE', tradingsymbol: 'INFY', instrument_token: INFY, product: 'CNC', quantity: 10 }
const position = { ...infy, multiplier: 1, average_price: 1_500, buy_value: 15_000, sell_value: 0 }

it('positions have our own profit and loss by the owner’s live tick, with its age', async () => {
  said['/portfolio/positions'] = { net: [position], day: [] }
  expect(await read({ read: 'positions' })).toMatchObject({
    ...{ account_id: 'a', synthetic: true, omitted: 0, day: [] },
    net: [{ tradingsymbol: 'INFY', own: { last_price: 1_600, age_ms: 30, pnl: 1_000 } }],
  })
  expect(questions).toEqual([{ owner: 'desk', instruments: ['NSE:INFY'] }])
})

it('none by a price that is stale, of an instrument that never traded, or of another one of that name', async () => {
  const own = (row: object) => {
    said['/portfolio/positions'] = { net: [row], day: [] }
    return read({ read: 'positions' })
  }
  const none = { net: [{ own: null }] }
  state = 'stale'
  expect(await own(position)).toMatchObject(none)
  state = 'live'
  price = 0
  expect(await own(position)).toMatchObject(none)
  price = 1_600
  expect(await own({ ...position, instrument_token: 5 })).toMatchObject(none)
  expect(await own(position)).toMatchObject({ net: [{ own: { pnl: 1_000 } }] })
})

it('a lot whose multiplier the broker does not say counts with the contract’s; one that nobody knows has none', async () => {
  const { multiplier: _, ...silent } = { ...position, quantity: 1, average_price: 1_500, buy_value: 150_000 }
  const gold = { ...silent, exchange: 'MCX', tradingsymbol: 'GOLD26DECFUT', instrument_token: GOLD }
  said['/portfolio/positions'] = {
    net: [gold, { ...gold, tradingsymbol: 'NEW26DECFUT', quantity: 0, instrument_token: 1_031 }],
    day: [],
  }
  expect(await read({ read: 'positions' })).toMatchObject({
    net: [{ own: { multiplier: 100, pnl: 10_000 } }, { own: null }],
  })
})

it('profit and loss by our own fills: at the live tick, else at the broker’s price, which is stale', async () => {
  const gold = { exchange: 'MCX', tradingsymbol: 'GOLD26DECFUT', instrument_token: GOLD, product: 'NRML' }
  const order = { transaction_type: 'BUY', average_price: 1_500, strategy: 'alpha' }
  fills = [
    { ...order, exchange: 'NSE', tradingsymbol: 'INFY', product: 'CNC', quantity: 10 },
    { ...order, exchange: 'MCX', tradingsymbol: 'GOLD26DECFUT', product: 'NRML', quantity: 1 },
  ]
  said['/portfolio/positions'] = { net: [position, { ...gold, quantity: 1, last_price: 1_510 }], day: [] }
  expect(await read({ read: 'pnl' })).toMatchObject({
    ...{ account_id: 'a', omitted: 0, stale: [] },
    account: { pnl: 11_000 },
    positions: [
      { tradingsymbol: 'INFY', pnl: 1_000, price_from: 'tick', age_ms: 30 },
      { tradingsymbol: 'GOLD26DECFUT', pnl: 10_000, multiplier: 100 },
    ],
  })
  state = 'stale'
  expect(await read({ read: 'pnl' })).toMatchObject({
    stale: ['NSE:INFY:CNC', 'MCX:GOLD26DECFUT:NRML'],
    // Of the other one the broker says none.
    unknown: ['NSE:INFY:CNC'],
    positions: [
      { pnl: null, price_from: null },
      { pnl: 1_000, last_price: 1_510, price_from: 'broker', age_ms: 0 },
    ],
    account: { pnl: null },
  })
})

it('holdings count what is still to be delivered', async () => {
  said['/portfolio/holdings'] = [{ ...infy, t1_quantity: 2, average_price: 1_500 }]
  expect(await read({ read: 'holdings' })).toMatchObject({
    holdings: [{ quantity: 10, own: { value: 19_200, pnl: 1_200 } }],
  })
})

it('trades are worth what the contract makes of them, and those of one order can be asked for', async () => {
  const trade = { ...infy, trade_id: '1', order_id: '7', transaction_type: 'BUY', average_price: 1_500.05 }
  said['/trades'] = [
    trade,
    { ...trade, order_id: '8', exchange: 'MCX', tradingsymbol: 'GOLD26DECFUT', quantity: 2 },
    { ...trade, order_id: '9', exchange: 'MCX', tradingsymbol: 'NEW26DECFUT' },
  ]
  expect(await read({ read: 'trades' })).toMatchObject({
    trades: [
      { order_id: '7', multiplier: 1, value: 15_000.5 },
      { order_id: '8', multiplier: 100, value: 300_010 },
      { order_id: '9', multiplier: null, value: null },
    ],
  })
  expect(await read({ read: 'trades', order_ids: ['8'] })).toMatchObject({ trades: [{ order_id: '8' }] })
  expect(await read({ read: 'trades', order_ids: [] })).toMatchObject({ trades: [] })
})

it('rows of another shape are counted, in the answer and in the metric', async () => {
  said['/trades'] = [{ odd: true }]
  expect(await read({ read: 'trades' })).toMatchObject({ trades: [], omitted: 1 })
  expect(await registry.metrics()).toContain('ticker_account_rows_omitted_total{read="trades"} 1')
})

it('funds, and an answer that is none', async () => {
  said['/user/margins'] = { equity: { enabled: true, net: 5 } }
  expect(await read({ read: 'funds' })).toMatchObject({
    equity: { net: 5 },
    commodity: null,
    synthetic: true,
  })
  said['/user/margins'] = 'closed'
  expect(await read({ read: 'funds' })).toMatchObject({ refusal: 'broker_unreachable' })
})

const order = {
  ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY' as const, variety: 'regular' },
  ...{ product: 'CNC', order_type: 'LIMIT', quantity: 2, price: 1_500 },
}
const { price: _, ...market } = { ...order, order_type: 'MARKET' }

it('margins of orders, each and together, are the broker’s', async () => {
  said['/margins/orders'] = [{ total: 3_000 }]
  expect(await read({ read: 'margins', orders: [order] })).toMatchObject({
    ...{ account_id: 'a', synthetic: true, orders: [{ total: 3_000 }] },
  })
  said['/margins/basket'] = { initial: { total: 5 }, final: { total: 4 }, orders: [{ total: 5 }] }
  const basket = { read: 'basket_margins' as const, orders: [order], consider_positions: true }
  expect(await read(basket)).toMatchObject({ initial: { total: 5 }, final: { total: 4 } })
})

it('charges are at the order’s price, of a MARKET order at the live tick, and of none without one', async () => {
  const line = { ...order, charges: { total: 2.25 } }
  said['/charges/orders'] = [line, line, line]
  const stop = { ...market, order_type: 'SL-M', trigger_price: 1_450 }
  // Its trigger is its stop-loss leg's, not the price of this one.
  const cover = { ...market, variety: 'co', trigger_price: 1_400 }
  expect(await read({ read: 'charges', orders: [order, stop, cover] })).toMatchObject({
    orders: [{ price_from: 'order' }, { price_from: 'order' }, { price_from: 'tick' }],
    total: 6.75,
  })
  expect(sent).toMatchObject([[{ average_price: 1_500 }, { average_price: 1_450 }, { average_price: 1_600 }]])
  state = 'stale'
  expect(await read({ read: 'charges', orders: [market] })).toEqual({
    refusal: 'price_unknown',
    detail: 'NSE:INFY',
  })
  expect(sent).toHaveLength(1)
})

it('a fund is worth its units at the last net asset value, and nothing known where there is none', async () => {
  const fund = { tradingsymbol: 'INF1', quantity: 10.5, last_price: 20, average_price: 18 }
  said['/mf/holdings'] = [fund, { ...fund, last_price: 0 }, { ...fund, average_price: null }]
  expect(await read({ read: 'fund_holdings' })).toMatchObject({
    ...{ account_id: 'a', synthetic: true, omitted: 0 },
    holdings: [{ own: { value: 210, pnl: 21 } }, { own: null }, { own: { value: 210, pnl: null } }],
  })
})

it('orders and plans of funds', async () => {
  said['/mf/orders'] = [{ order_id: '1', tradingsymbol: 'INF1', status: 'OPEN', transaction_type: 'BUY' }, {}]
  expect(await read({ read: 'fund_orders' })).toMatchObject({ orders: [{ order_id: '1' }], omitted: 1 })
  expect(await registry.metrics()).toContain('ticker_account_rows_omitted_total{read="fund_orders"} 1')
  said['/mf/sips'] = [{ sip_id: '2', tradingsymbol: 'INF1', status: 'ACTIVE' }]
  expect(await read({ read: 'fund_sips' })).toMatchObject({ sips: [{ sip_id: '2' }], omitted: 0 })
})

it('the depository: auctions, and an authorisation that is asked for in pairs', async () => {
  said['/portfolio/holdings/auctions'] = [{ ...infy, auction_number: '20' }, { ...infy }]
  expect(await read({ read: 'auctions' })).toMatchObject({
    auctions: [{ auction_number: '20', isin: null }],
    omitted: 1,
  })
  said['/portfolio/holdings/authorise'] = { request_id: 'na8QgCeQm05UHG6NL9sAGRzdfSF64UdB' }
  const holdings = [
    { isin: 'INE009A01021', quantity: 5 },
    { isin: 'INE002A01018', quantity: 50 },
  ]
  expect(await read({ read: 'authorisation', holdings })).toMatchObject({
    ...{ account_id: 'a', request_id: 'na8QgCeQm05UHG6NL9sAGRzdfSF64UdB' },
  })
  expect(forms).toEqual(['isin=INE009A01021&quantity=5&isin=INE002A01018&quantity=50'])
  // What is not an id would become part of a link.
  said['/portfolio/holdings/authorise'] = { request_id: '../../elsewhere' }
  expect(await read({ read: 'authorisation' })).toMatchObject({ refusal: 'broker_unreachable' })
})

it('trades and allotments of funds, and the triggers of cover orders', async () => {
  said['/mf/holdings/INF174K01LS2'] = [{ tradingsymbol: 'INF174K01LS2', amount: 780 }]
  expect(await read({ read: 'fund_trades', isin: 'INF174K01LS2' })).toMatchObject({
    trades: [{ amount: 780, folio: null }],
  })
  said['/mf/allotments'] = ['INF174K01LS2']
  expect(await read({ read: 'fund_allotments' })).toMatchObject({ isins: ['INF174K01LS2'] })
  said['/mf/allotments'] = { odd: true }
  expect(await read({ read: 'fund_allotments' })).toMatchObject({ refusal: 'broker_unreachable' })
  const range = { instrument_token: INFY, lower: 1_455, upper: 1_545, percentage: 3 }
  said['/instruments/trigger_range/buy'] = { 'NSE:INFY': range, 'NSE:ODD': { lower: 'x' } }
  const instruments = ['NSE:INFY', 'NSE:ODD']
  expect(await read({ read: 'trigger_ranges', transaction_type: 'buy', instruments })).toMatchObject({
    ranges: { 'NSE:INFY': range },
  })
})

it('charges of an order that filled are by what it filled at, whatever its type', async () => {
  const line = { ...infy, transaction_type: 'BUY', price: 1_490, quantity: 1, charges: { total: 1 } }
  said['/charges/orders'] = [line]
  const filled = { ...infy, transaction_type: 'BUY' as const, variety: 'regular', order_type: 'MARKET' }
  const { instrument_token: _, ...order } = { ...filled, quantity: 1, average_price: 1_490 }
  expect(await read({ read: 'charges', orders: [order] })).toMatchObject({
    orders: [{ price: 1_490, price_from: 'order' }],
  })
  expect(sent).toMatchObject([[{ average_price: 1_490 }]])
})
