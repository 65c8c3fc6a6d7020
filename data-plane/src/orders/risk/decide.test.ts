import type { PlaceOrder } from '@ticker/shared/domain'
import { expect, it } from 'vitest'
import { decide, type Facts, type Limits, needsDayPnl, needsReducible } from './decide.ts'

const order = (change: Partial<PlaceOrder> = {}): PlaceOrder => ({
  ...{
    account_id: 'a',
    variety: 'regular',
    exchange: 'NSE',
    tradingsymbol: 'INFY',
    transaction_type: 'SELL',
  },
  ...{ quantity: 10, product: 'MIS', order_type: 'LIMIT', price: 100, validity: 'DAY', expires_in_s: 30 },
  ...change,
})
const limit = (change: Partial<Limits>): Limits => ({
  ...{ strategy: '', max_order_value: null, max_order_quantity: null, max_orders_a_day: null },
  ...{ max_daily_loss: null, max_price_deviation_percent: null },
  ...{ mis_entries_until: null, no_entries_on_expiry_day: null },
  ...change,
})
const facts = (change: Partial<Facts> = {}, ...limits: Partial<Limits>[]): Facts => ({
  ...{ tradingState: 'ACTIVE', limits: limits.map(limit), ordersToday: 0, strategyOrdersToday: 0 },
  ...{ lastPrice: 100, multiplier: 1, time: undefined },
  ...change,
})
const held = (reducible: number | undefined, dayPnl: number | undefined = 0) => ({
  ...{ reducible, dayPnl, strategyDayPnl: undefined },
})
const MARKET = { order_type: 'MARKET', price: undefined } as const

it('without a limit everything is allowed, and nothing has to be asked', () => {
  expect(decide(order(), facts({ lastPrice: undefined }), undefined)).toMatchObject({
    allowed: true,
    exit: false,
  })
  expect([needsReducible(order(), facts()), needsDayPnl(facts())]).toEqual([false, false])
})

it.each<[string, Partial<PlaceOrder>, Facts, RegExp]>([
  ['quantity', {}, facts({}, { max_order_quantity: 9 }), /10 is more than the 9/],
  ['value', {}, facts({}, { max_order_value: 999 }), /1000 rupees are more than the 999/],
  ['value with the multiplier', {}, facts({ multiplier: 50 }, { max_order_value: 49_999 }), /50000 rupees/],
  ['value at the last price', MARKET, facts({ lastPrice: 101 }, { max_order_value: 1_009 }), /1010 rupees/],
  ['orders', {}, facts({ ordersToday: 5 }, { max_orders_a_day: 5 }), /5 orders are used up of the account/],
  [
    'orders of the strategy',
    { strategy: 's' },
    facts({ strategyOrdersToday: 2 }, { strategy: 's', max_orders_a_day: 2 }),
    /used up of strategy s/,
  ],
])('an entry beyond the limit of %s is refused, an exit is not', (_, change, known, words) => {
  expect(needsReducible(order(change), known)).toBe(true)
  const refused = decide(order(change), known, held(9))
  expect(refused).toMatchObject({ allowed: false, code: 'risk_limit', reason: expect.stringMatching(words) })
  expect(decide(order(change), known, held(10))).toMatchObject({ allowed: true, exit: true })
})

it('the day’s loss of a strategy is its own', () => {
  const ofS = facts({}, { strategy: 's', max_daily_loss: 100 })
  const loses = (strategyDayPnl: number | undefined) =>
    decide(order({ strategy: 's' }), ofS, { reducible: 0, dayPnl: -500, strategyDayPnl })
  expect(loses(-99)).toMatchObject({ allowed: true, inputs: { day_pnl: -500, strategy_day_pnl: -99 } })
  expect(loses(-100)).toMatchObject({
    code: 'risk_limit',
    reason: 'The day’s loss of 100 has reached the limit of strategy s.',
  })
  expect(loses(undefined)).toMatchObject({ code: 'risk_unknown' })
})

it('what a limit needs and is not known refuses, and says what', () => {
  const value = facts({ lastPrice: undefined }, { max_order_value: 1e9 })
  expect(decide(order(MARKET), value, held(0))).toMatchObject({
    ...{ code: 'risk_unknown', reason: expect.stringContaining('no tick is live') },
  })
  expect(decide(order(), facts({ multiplier: undefined }, { max_order_value: 1e9 }), held(0)).code).toBe(
    'risk_unknown',
  )
  expect(
    decide(order(), facts({}, { max_daily_loss: 100 }), {
      ...held(0),
      dayPnl: undefined,
    }).reason,
  ).toContain('profit and loss')
  expect(decide(order(MARKET), value, held(10))).toMatchObject({ allowed: true, exit: true })
})

it('the day’s loss stops entries when it reaches the limit', () => {
  const known = facts({}, { max_daily_loss: 100 })
  expect([needsDayPnl(known), needsReducible(order(), known)]).toEqual([true, false])
  expect(decide(order(), known, held(undefined, -99.99)).allowed).toBe(true)
  expect(decide(order(), known, held(0, -100)).reason).toContain('has reached the limit')
  expect(decide(order(), known, held(10, -100))).toMatchObject({ allowed: true, exit: true })
})

it('a price outside the band is refused, an exit’s too; without a price an exit passes', () => {
  const banded = (lastPrice: number | undefined) => facts({ lastPrice }, { max_price_deviation_percent: 5 })
  expect(decide(order({ price: 105 }), banded(100), undefined).allowed).toBe(true)
  const far = decide(order({ price: 106 }), banded(100), held(10))
  expect(far.reason).toBe('106 is 6.0 % from the last price 100; the band is 5 %.')
  expect(decide(order(), banded(undefined), held(0)).code).toBe('risk_unknown')
  expect(decide(order(), banded(undefined), held(10)).allowed).toBe(true)
  expect(decide(order(MARKET), banded(100), undefined).allowed).toBe(true)
  // A stop order waits far from the market: its price is held to its trigger.
  const stop = (trigger_price: number) => order({ order_type: 'SL', price: 80, trigger_price })
  expect(decide(stop(81), banded(100), undefined).allowed).toBe(true)
  expect(decide(stop(90), banded(100), undefined).reason).toContain('from its trigger 90')
})

it.each([
  ['REDUCING', facts({ tradingState: 'REDUCING' }), {}, 'The account only reduces positions'],
  ['reduce_only', facts(), { reduce_only: true }, 'reduce_only'],
] as const)('%s: only what reduces, all of it', (_, known, change, why) => {
  expect(needsReducible(order(change), known)).toBe(true)
  expect(decide(order(change), known, held(10))).toMatchObject({ allowed: true, exit: true })
  expect(decide(order(change), known, held(9))).toMatchObject({
    ...{ allowed: false, code: 'risk_not_reducing', reason: `${why}: at most 9 of this would.` },
  })
  expect(decide(order(change), known, held(0)).reason).toBe(`${why}: nothing of this would.`)
  expect(decide(order(change), known, held(undefined)).code).toBe('risk_unknown')
})

it('the inputs are kept with the decision', () => {
  expect(decide(order({ strategy: 's' }), facts({ ordersToday: 3 }), held(4, -1.234)).inputs).toEqual({
    ...{ trading_state: 'ACTIVE', orders_today: 3, strategy_orders_today: 0, price: 100, last_price: 100 },
    ...{ multiplier: 1, value: 1000, day_pnl: -1.23, strategy_day_pnl: null, reducible_quantity: 4 },
  })
})

const IST_1515 = Date.parse('2026-11-26T15:15:00+05:30')
const at = (nowMs: number, change: Partial<NonNullable<Facts['time']>> = {}) => ({
  time: { nowMs, today: '2026-11-26', misCutoffMs: IST_1515, expiresToday: false, ...change },
})

it.each<[string, Partial<PlaceOrder>, Facts, RegExp]>([
  ['MIS from the broker’s cut-off on', {}, facts(at(IST_1515)), /squares them off from 15:15 IST/],
  [
    'MIS from one’s own time on',
    {},
    facts(at(IST_1515 - 60_000), { mis_entries_until: '15:14' }),
    /from 15:14 IST on: your limit/,
  ],
  [
    'a contract on its last day',
    { product: 'NRML' },
    facts(at(0, { expiresToday: true }), { no_entries_on_expiry_day: true }),
    /expire today/,
  ],
])('%s is no longer opened, and can be left', (_, change, known, words) => {
  expect(needsReducible(order(change), known)).toBe(true)
  expect(decide(order(change), known, held(9))).toMatchObject({
    ...{ allowed: false, code: 'risk_time', reason: expect.stringMatching(words) },
  })
  expect(decide(order(change), known, held(10))).toMatchObject({ allowed: true, exit: true })
})

it.each<[string, Partial<PlaceOrder>, Facts]>([
  ['MIS before its times', {}, facts(at(IST_1515 - 1), { mis_entries_until: '15:15' })],
  ['another product', { product: 'NRML' }, facts(at(IST_1515))],
  ['an order for the next session', { variety: 'amo' }, facts(at(IST_1515))],
  ['MIS where there is no cut-off', {}, facts(at(IST_1515, { misCutoffMs: undefined }))],
  ['a modify that opens nothing', {}, facts({ time: undefined })],
  ['a last day that nobody minds', { product: 'NRML' }, facts(at(0, { expiresToday: true }))],
])('%s is not a matter of time', (_, change, known) => {
  expect(decide(order(change), known, undefined)).toMatchObject({ allowed: true, exit: false })
})
