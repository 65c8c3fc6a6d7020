// What the broker knows of an account, through every part: asked, answered, and marked as simulated.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { type Desk, LIMIT_ORDER, refusalOf } from '../desk.ts'

const INFY = 408_065
/** INFY trades about 1,500. */
const FILLS_AT_ONCE = 1_600

/** Without a price where nothing is held any more. */
const own = z.object({ last_price: z.number().nullable(), age_ms: z.number().nullable(), pnl: z.number() })
const position = z.object({
  tradingsymbol: z.string(),
  product: z.string(),
  quantity: z.number(),
  average_price: z.number(),
  buy_value: z.number(),
  sell_value: z.number(),
  own: own.nullable(),
})
const positions = z.object({ synthetic: z.literal(true), net: z.array(position), day: z.array(position) })
const holdings = z.object({
  synthetic: z.literal(true),
  holdings: z.array(z.object({ tradingsymbol: z.string(), quantity: z.number(), average_price: z.number() })),
})
const segment = z.object({ net: z.number(), available: z.object({ cash: z.number() }) })
const funds = z.object({ synthetic: z.literal(true), equity: segment, commodity: segment })
const trades = z.object({
  synthetic: z.literal(true),
  trades: z.array(
    z.object({
      order_id: z.string(),
      intent_id: z.string().nullable(),
      tag: z.string().nullable(),
      broker_tag: z.string().nullable(),
      quantity: z.number(),
      average_price: z.number(),
      value: z.number(),
    }),
  ),
})

export function portfolioSuite(desk: () => Desk) {
  describe('portfolio', () => {
    const get = <Shape extends z.ZodType>(shape: Shape, path: string) => desk().api.call(shape, 'GET', path)

    it('an order that filled is a trade with the caller’s whole tag, and a position with our own profit and loss', async () => {
      await desk().subscribe([INFY])
      const tag = 'fourteenchars1'
      const placed = await desk().place({ price: FILLS_AT_ONCE, quantity: 3, tag })
      const path = `/v1/trades?account_id=demo&order_id=${placed.id}`
      await until(
        'it is traded',
        async () => {
          const made = (await get(trades, path)).trades
          return made.reduce((sum, { quantity }) => sum + quantity, 0) === 3
        },
        10_000,
      )
      const made = (await get(trades, path)).trades
      for (const trade of made) {
        expect(trade).toMatchObject({ intent_id: placed.id, tag })
        expect(trade.broker_tag).toMatch(/^fourteen[0-9a-z]{12}$/)
        expect(trade.value).toBeCloseTo(trade.quantity * trade.average_price, 4)
      }
      const all = (await get(trades, '/v1/trades?account_id=demo')).trades
      expect(all.map(({ order_id }) => order_id)).toEqual(
        expect.arrayContaining(made.map((each) => each.order_id)),
      )

      const { net, day } = await get(positions, '/v1/positions?account_id=demo')
      const infy = net.find((each) => each.tradingsymbol === 'INFY' && each.product === 'CNC')
      expect(day.map((each) => each.tradingsymbol)).toContain('INFY')
      if (!infy?.own?.last_price) throw new Error(`no profit and loss of our own: ${JSON.stringify(net)}`)
      expect(infy.quantity).toBeGreaterThanOrEqual(3)
      expect(infy.own.age_ms).toBeLessThan(60_000)
      const booked = infy.sell_value - infy.buy_value
      expect(infy.own.pnl).toBeCloseTo(booked + infy.quantity * infy.own.last_price, 2)
    })

    it('holdings and funds are the broker’s', async () => {
      const { holdings: held } = await get(holdings, '/v1/holdings?account_id=demo')
      expect(held).toContainEqual({ tradingsymbol: 'TCS', quantity: 10, average_price: 2_950.5 })
      const { equity } = await get(funds, '/v1/funds?account_id=demo')
      expect(equity.available.cash).toBeGreaterThan(equity.net)
    })

    it('mutual funds are the broker’s', async () => {
      const named = z.array(z.object({ tradingsymbol: z.string() }))
      for (const list of ['holdings', 'orders', 'sips'] as const) {
        const shape = z.object({ synthetic: z.literal(true), [list]: named })
        const answer = await get(shape, `/v1/mutual-funds/${list}?account_id=demo`)
        expect(answer[list]).toEqual([{ tradingsymbol: 'INF174K01LS2' }])
      }
    })

    it('what orders would tie up and cost is known before they are sent, and nothing is placed', async () => {
      const before = await desk().ordersAtBroker()
      const post = <Shape extends z.ZodType>(shape: Shape, path: string, orders: unknown[]) =>
        desk().api.call(shape, 'POST', path, { orders })
      const order = { ...LIMIT_ORDER, quantity: 2, price: 1_500 }
      const total = z.object({ total: z.number() })
      const margins = z.object({ synthetic: z.literal(true), orders: z.array(total) })
      expect((await post(margins, '/v1/margins', [order])).orders).toEqual([{ total: 3_000 }])

      const listed = z.object({ items: z.array(z.object({ tradingsymbol: z.string(), strike: z.number() })) })
      const { items } = await get(listed, '/v1/instruments?exchange=NFO&name=NIFTY&type=CE&limit=2')
      const legs = items.map(({ tradingsymbol }, index) => ({
        ...{ ...LIMIT_ORDER, exchange: 'NFO', tradingsymbol, product: 'NRML', quantity: 65, price: 100 },
        transaction_type: index === 0 ? 'SELL' : 'BUY',
      }))
      const basket = z.object({ initial: total, final: total, orders: z.array(total) })
      const { initial, final } = await post(basket, '/v1/margins/basket', legs)
      expect(final.total).toBeLessThan(initial.total)

      await desk().subscribe([INFY])
      const market = { ...LIMIT_ORDER, order_type: 'MARKET' }
      const charges = total.extend({
        orders: z.array(z.object({ price: z.number(), price_from: z.string() })),
      })
      const noted = await post(charges, '/v1/charges', [order, market])
      expect(noted.orders.map(({ price_from }) => price_from)).toEqual(['order', 'tick'])
      expect(noted.total).toBeGreaterThan(0)
      expect(await desk().ordersAtBroker()).toBe(before)
    })

    it('an account that is not logged in says so', async () => {
      await desk().api.call(z.unknown(), 'POST', '/v1/accounts', {
        ...{ id: 'neverloggedin', api_key: 'neverloggedin', api_secret: 'neverloggedin' },
      })
      const refused = await desk().api.request('GET', '/v1/positions?account_id=neverloggedin')
      expect(await refusalOf(refused)).toEqual([409, 'session_inactive'])
      await desk().api.request('PATCH', '/v1/accounts/neverloggedin', { status: 'disabled' })
      expect((await desk().api.request('DELETE', '/v1/accounts/neverloggedin')).ok).toBe(true)
    })
  })
}
