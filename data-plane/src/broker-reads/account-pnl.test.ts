import { type BrokerPosition, brokerPosition } from '@ticker/shared/domain'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accountPnl, strategyDayPnl, worseDayPnl } from './account-pnl.ts'
import type { Fill, Mark } from './pnl-book.ts'

const nulls = Object.fromEntries(Object.keys(brokerPosition.shape).map((name) => [name, null]))
const row = (change: Partial<BrokerPosition>): BrokerPosition =>
  brokerPosition.parse({ ...nulls, ...INFY, quantity: 0, multiplier: 1, ...change })
const INFY = { exchange: 'NSE', tradingsymbol: 'INFY', product: 'MIS' }
const GOLD = { exchange: 'MCX', tradingsymbol: 'GOLD26DECFUT', product: 'NRML' }
const bought = (quantity: number, average_price: number, more: Partial<Fill> = {}): Fill => ({
  ...INFY,
  ...{ transaction_type: 'BUY', quantity, average_price, strategy: null },
  ...more,
})
const sold = (quantity: number, average_price: number, more: Partial<Fill> = {}) =>
  bought(quantity, average_price, { transaction_type: 'SELL', ...more })
const tick = (last_price: number): Mark => ({ last_price, age_ms: 20, price_from: 'tick' })
const pnlOf = (fills: Fill[], net: BrokerPosition[] = [], mark: Mark | null = tick(110)) =>
  accountPnl({
    ...{ fills, net, markOf: () => mark ?? undefined },
    multiplierOf: ({ exchange }) => ({ NSE: 1, MCX: 100, CDS: 1_000 })[exchange],
  })

describe('of today’s fills', () => {
  it.each([
    ['long', [bought(10, 100)], { realised: 0, unrealised: 100, pnl: 100, day_pnl: 100 }],
    ['short', [sold(10, 100)], { realised: 0, unrealised: -100, pnl: -100, day_pnl: -100 }],
    ['closed', [bought(10, 100), sold(10, 104)], { realised: 40, unrealised: 0, pnl: 40, day_pnl: 40 }],
    // 10 of 4 at 100 and 6 at 105 are 103 each; 4 of them sold at 108.
    [
      'partly closed, at the average of all that was bought',
      [bought(4, 100), bought(6, 105), sold(4, 108)],
      { realised: 20, unrealised: 42, pnl: 62, day_pnl: 62 },
    ],
    // Sold 15 at 106, of which 10 were bought at 100; the other 5 are short.
    ['reversed', [bought(10, 100), sold(15, 106)], { realised: 60, unrealised: -20, pnl: 40, day_pnl: 40 }],
  ])('%s', (_, fills, figures) => {
    expect(pnlOf(fills).account).toMatchObject(figures)
  })

  it('a lot counts with the contract’s multiplier, the broker’s own first', () => {
    const fills = [bought(1, 100, GOLD)]
    expect(pnlOf(fills).account.pnl).toBe(1_000)
    expect(pnlOf(fills, [row({ ...GOLD, quantity: 1, multiplier: 10 })]).account.pnl).toBe(100)
    const usd = { exchange: 'CDS', tradingsymbol: 'USDINR26DECFUT', product: 'NRML' }
    expect(pnlOf([sold(2, 84.105, usd)], [], tick(84.1075)).account.pnl).toBe(-5)
    expect(pnlOf([bought(1, 100, { ...GOLD, exchange: 'BCO' })])).toMatchObject({
      account: { pnl: null },
      unknown: ['BCO:GOLD26DECFUT:NRML'],
    })
  })

  it('a fill whose price the broker has not said yet is worth nothing known, not nothing', () => {
    const made = pnlOf([bought(5, 0, { strategy: 'a' }), bought(1, 100, { strategy: 'b' })])
    expect(made).toMatchObject({ account: { pnl: null, day_pnl: null }, unknown: ['NSE:INFY:MIS'] })
    const known = { ...made, omitted: 0 }
    expect([strategyDayPnl(known, 'a'), strategyDayPnl(known, 'b')]).toEqual([undefined, 10])
  })

  it('by strategy; what one bought and another sold is open in both and closed in the position', () => {
    const made = pnlOf([bought(5, 100, { strategy: 'a' }), sold(5, 105, { strategy: 'b' }), sold(1, 120)])
    expect(made.strategies).toMatchObject([
      { strategy: 'a', realised: 0, unrealised: 50, positions: [{ tradingsymbol: 'INFY', quantity: 5 }] },
      { strategy: 'b', realised: 0, unrealised: -25 },
      { strategy: null, unrealised: 10, positions: [{ quantity: -1 }] },
    ])
    expect(made.positions).toMatchObject([{ quantity: -1, bought_quantity: 5, sold_quantity: 6, pnl: 35 }])
  })
})

it('strategies that hold against each other in a closed position are priced, and each has its own day’s loss', () => {
  const fills = [bought(5, 100, { strategy: 'a' }), sold(5, 115, { strategy: 'b' })]
  const made = { ...pnlOf(fills), omitted: 0 }
  expect(made).toMatchObject({
    strategies: [
      { strategy: 'a', pnl: 50 },
      { strategy: 'b', pnl: 25 },
    ],
    positions: [{ quantity: 0, pnl: 75 }],
    ...{ stale: [], unknown: [] },
  })
  expect([strategyDayPnl(made, 'a'), strategyDayPnl(made, 'none')]).toEqual([50, 0])
  const late: Mark = { last_price: 110, age_ms: 1, price_from: 'broker' }
  const stale = { ...pnlOf(fills, [], late), omitted: 0 }
  expect([strategyDayPnl(stale, 'a'), stale.account.pnl, stale.stale]).toEqual([undefined, 75, []])
  expect(strategyDayPnl({ ...pnlOf(fills, [], null), omitted: 0 }, 'a')).toBeUndefined()
  expect(strategyDayPnl({ ...made, omitted: 1 }, 'a')).toBeUndefined()
  expect(strategyDayPnl({ ...pnlOf([...fills, sold(5, 90, { strategy: 'a' })]), omitted: 0 }, 'a')).toBe(-50)
})

describe('of what was carried over', () => {
  // 3 lots at 98, closed yesterday at 104; one more bought today at 106.
  const carried = row({
    ...{ ...GOLD, quantity: 4, overnight_quantity: 3, multiplier: 100, average_price: 100 },
    ...{ buy_value: 3 * 9_800 + 10_600, buy_m2m: 3 * 10_400 + 10_600, sell_value: 0, sell_m2m: 0 },
    ...{ day_buy_value: 10_600, day_sell_value: 0 },
    ...{ realised: 0, unrealised: 4_000, pnl: 4_000, m2m: 2_200, last_price: 110 },
  })

  it('counts from its cost, of the day from its last close, and is of no strategy', () => {
    const made = pnlOf([bought(1, 106, { ...GOLD, strategy: 'a' })], [carried])
    expect(made.positions).toMatchObject([
      {
        ...{ quantity: 4, overnight_quantity: 3, average_price: 100, multiplier: 100 },
        ...{ realised: 0, unrealised: 4_000, pnl: 4_000, day_pnl: 2_200, difference: 0 },
        broker: { quantity: 4, pnl: 4_000, m2m: 2_200 },
      },
    ])
    expect(made.strategies).toMatchObject([
      { strategy: 'a', pnl: 400, positions: [{ quantity: 1 }] },
      { strategy: null, pnl: 3_600, day_pnl: 1_800, positions: [{ quantity: 3 }] },
    ])
  })

  it('short, and bought back by a strategy', () => {
    const short = row({
      ...{ quantity: 0, overnight_quantity: -10, sell_value: 1_200, sell_m2m: 1_150, day_sell_value: 0 },
      ...{ buy_value: 1_000, buy_m2m: 1_000, day_buy_value: 1_000 },
    })
    expect(pnlOf([bought(10, 100)], [short]).account).toMatchObject({ realised: 200, pnl: 200, day_pnl: 150 })
  })

  it('without a cost of the broker’s nothing is known', () => {
    const silent = { ...carried, day_buy_value: null }
    expect(pnlOf([], [silent])).toMatchObject({ account: { pnl: null }, unknown: ['MCX:GOLD26DECFUT:NRML'] })
  })
})

describe('prices, and the limit of a day’s loss', () => {
  const held = row({ quantity: 10, pnl: -70, m2m: -70, realised: 0, unrealised: -70 })
  const worse = (mark: Mark, omitted = 0) =>
    worseDayPnl({ ...pnlOf([bought(10, 100)], [held], mark), omitted })

  it('the broker’s price is shown as such, and is stale', () => {
    const made = pnlOf([bought(10, 100)], [held], { last_price: 93, age_ms: 5, price_from: 'broker' })
    expect(made.positions).toMatchObject([{ last_price: 93, price_from: 'broker', pnl: -70 }])
    expect(made.stale).toEqual(['NSE:INFY:MIS'])
    expect(pnlOf([bought(1, 100), sold(1, 90)], [], null)).toMatchObject({ stale: [], unknown: [] })
  })

  it('the worse of both counts', () => {
    expect(worse(tick(99))).toBe(-70)
    expect(worse(tick(92))).toBe(-80)
  })

  it('is not known with a price that is not live, a figure that the broker does not say, or a row left out', () => {
    expect(worse({ last_price: 99, age_ms: 5, price_from: 'broker' })).toBeUndefined()
    expect(worseDayPnl({ ...pnlOf([bought(10, 100)], [], null), omitted: 0 })).toBeUndefined()
    expect(worse(tick(99), 1)).toBeUndefined()
    const silent = pnlOf([bought(10, 100)], [{ ...held, m2m: null }])
    expect(worseDayPnl({ ...silent, omitted: 0 })).toBeUndefined()
  })
})

it('realised and unrealised are together the mark to market of all fills: of the account, of each position, of all strategies', () => {
  const kinds = [
    { ...INFY, times: 1 },
    { ...GOLD, times: 100 },
    { exchange: 'CDS', tradingsymbol: 'USDINR26DECFUT', product: 'NRML', times: 1_000 },
  ]
  const paise = fc.integer({ min: 1, max: 10_000_000 }).map((each) => each / 100)
  const fill = fc.record({
    kind: fc.constantFrom(...kinds),
    transaction_type: fc.constantFrom('BUY', 'SELL'),
    quantity: fc.integer({ min: 1, max: 5_000 }),
    average_price: paise,
    strategy: fc.constantFrom(null, 'a', 'b'),
  })
  const overnight = fc.record({
    kind: fc.constantFrom(...kinds),
    quantity: fc.integer({ min: -500, max: 500 }).filter((quantity) => quantity !== 0),
    cost: paise,
    close: paise,
  })
  fc.assert(
    fc.property(
      fc.array(fill, { maxLength: 30 }),
      fc.uniqueArray(overnight, { selector: ({ kind }) => kind.exchange, maxLength: 3 }),
      paise,
      (given, carried, last_price) => {
        const fills = given.map(({ kind: { times: _, ...kind }, ...each }) => ({ ...kind, ...each }))
        const net = carried.map(({ kind: { times, ...kind }, quantity, cost, close }) => {
          const [value, m2m] = [Math.abs(quantity) * cost * times, Math.abs(quantity) * close * times]
          const long = quantity > 0
          return row({
            ...{ ...kind, multiplier: times, overnight_quantity: quantity, day_buy_value: 0 },
            ...{ day_sell_value: 0, buy_value: long ? value : 0, buy_m2m: long ? m2m : 0 },
            ...{ sell_value: long ? 0 : value, sell_m2m: long ? 0 : m2m },
          })
        })
        const made = pnlOf(fills, net, tick(last_price))
        const signed = (type: string, quantity: number) => (type === 'BUY' ? quantity : -quantity)
        const marked = (from: 'cost' | 'close') =>
          given.reduce(
            (sum, { kind, transaction_type, quantity, average_price }) =>
              sum + signed(transaction_type, quantity) * (last_price - average_price) * kind.times,
            carried.reduce(
              (sum, each) => sum + each.quantity * (last_price - each[from]) * each.kind.times,
              0,
            ),
          )
        const { realised, unrealised, pnl, day_pnl } = made.account
        expect((realised ?? Number.NaN) + (unrealised ?? Number.NaN)).toBeCloseTo(marked('cost'), 2)
        expect(pnl).toBeCloseTo(marked('cost'), 2)
        expect(day_pnl).toBeCloseTo(marked('close'), 2)
        for (const list of [made.positions, made.strategies])
          expect(list.reduce((sum, each) => sum + (each.pnl ?? Number.NaN), 0)).toBeCloseTo(pnl ?? 0, 2)
        for (const each of made.positions)
          expect((each.realised ?? 0) + (each.unrealised ?? 0)).toBeCloseTo(each.pnl ?? Number.NaN, 3)
      },
    ),
    { numRuns: 500 },
  )
})
