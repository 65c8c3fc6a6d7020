// What the Python and the Go client send, to the letter (pykiteconnect 5.2, gokiteconnect 4), through a whole order life; and what
// they can read. They themselves run in `pnpm conformance`, where they can be installed.
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import type { Desk } from '../desk.ts'

const INFY = 408_065
interface Dialect {
  agent: string
  /** Python joins paths to the host; Go puts them behind whatever root it was given. */
  join(origin: string, path: string): string
  place: string
  modify(orderId: string): string
  basket: string
  history: string
}
const PYTHON: Dialect = {
  agent: 'Kiteconnect-python/5.2.0',
  join: (origin, path) => new URL(path, `${origin}/kite/api/`).href,
  place:
    'variety=regular&exchange=NSE&tradingsymbol=INFY&transaction_type=BUY&quantity=1&product=CNC&order_type=LIMIT' +
    '&price=1160.0&validity=DAY&tag=wire',
  modify: (orderId) => `variety=regular&order_id=${orderId}&quantity=1&price=1161.0&order_type=LIMIT`,
  basket: '/margins/basket?consider_positions=True',
  history: 'from=2026-11-02+00%3A00%3A00&to=2026-11-06+23%3A59%3A59&interval=day&continuous=0&oi=1',
}
const GO: Dialect = {
  agent: 'gokiteconnect/4.4.0',
  join: (origin, path) => `${origin}/${path}`,
  place:
    'exchange=NSE&order_type=LIMIT&price=1160&product=CNC&quantity=1&tag=wire&tradingsymbol=INFY&transaction_type=BUY&validity=DAY',
  modify: () => 'order_type=LIMIT&price=1161&quantity=1&validity=DAY',
  basket: '/margins/basket?consider_positions=true&mode=compact',
  history: 'continuous=0&from=2026-11-02+00%3A00%3A00&oi=1&to=2026-11-06+23%3A59%3A59',
}

/** Go fails on a number where it has a text, and the reverse; null and what is not there are its zero. */
const text = z.string().nullish()
const time = z
  .string()
  .regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
  .nullish()
const amount = z.number().nullish()
const goOrder = z.looseObject({
  ...{ order_id: z.string(), exchange_order_id: text, parent_order_id: text, status: z.string() },
  ...{ status_message: text, status_message_raw: text, placed_by: text, guid: text, variety: z.string() },
  ...{ order_timestamp: time, exchange_update_timestamp: time, exchange_timestamp: time },
  ...{ meta: z.record(z.string(), z.unknown()), tag: text, tags: z.array(z.string()).nullish() },
  ...{ exchange: z.string(), tradingsymbol: z.string(), instrument_token: z.int(), order_type: z.string() },
  ...{ transaction_type: z.string(), validity: z.string(), product: z.string() },
  ...{ quantity: amount, disclosed_quantity: amount, price: amount, trigger_price: amount },
  ...{ average_price: amount, filled_quantity: amount, pending_quantity: amount, cancelled_quantity: amount },
})
const goTrade = z.looseObject({
  ...{ trade_id: z.string(), order_id: z.string(), exchange_order_id: text, product: z.string() },
  ...{ average_price: z.number(), quantity: z.number(), fill_timestamp: time, exchange_timestamp: time },
  // Of the time alone at the broker too.
  order_timestamp: z.string().regex(/^\d\d:\d\d:\d\d$/),
})
const goHolding = z.looseObject({
  ...{ tradingsymbol: z.string(), isin: text, authorised_date: time, collateral_type: text },
  ...{ discrepancy: z.boolean(), quantity: z.int(), t1_quantity: z.int(), average_price: z.number() },
})
const success = z.object({ status: z.literal('success'), data: z.unknown() })
const orderId = z.object({ order_id: z.string() })
const candle = z.tuple([z.string().regex(/T\d\d:\d\d:\d\d\+0530$/)], z.number())
const MARGIN_ORDER = {
  ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', variety: 'regular', product: 'CNC' },
  ...{ order_type: 'LIMIT', quantity: 1, price: 1_500, trigger_price: 0 },
}

export function kiteWireShapeSuite(desk: () => Desk) {
  describe.each([
    ['Python', PYTHON],
    ['Go', GO],
  ])('the requests of the %s client', (_, dialect) => {
    let authorization: string
    beforeEach(async () => {
      const own = await desk().keyWith({ scopes: ['accounts:read', ...SCOPES] })
      const { apiKey, accessToken } = await desk().kiteCredentials(own)
      authorization = `token ${apiKey}:${accessToken}`
    })
    /** Nothing of a suite that fails is left for the next. */
    const made: string[] = []
    afterAll(async () => {
      for (const id of made) await send('DELETE', `/orders/regular/${id}`)
    })

    async function send(method: string, path: string, body?: string): Promise<Response> {
      const isJson = body?.startsWith('[')
      return fetch(dialect.join(desk().system.controlPlaneUrl, path), {
        method,
        redirect: 'error',
        headers: {
          ...{ authorization, 'x-kite-version': '3', 'user-agent': dialect.agent },
          ...(body === undefined
            ? {}
            : { 'content-type': isJson ? 'application/json' : 'application/x-www-form-urlencoded' }),
        },
        body: body ?? null,
      })
    }
    async function ask<T>(shape: z.ZodType<T>, ...sent: Parameters<typeof send>): Promise<T> {
      const response = await send(...sent)
      const said = await response.text()
      expect([response.status, said]).toEqual([200, said])
      expect(response.headers.get('content-type')).toBe('application/json')
      return shape.parse(success.parse(JSON.parse(said)).data)
    }
    const inBook = async (id: string) =>
      (await ask(z.array(goOrder), 'GET', '/orders')).find(({ order_id }) => order_id === id)

    it('a whole order life', async () => {
      const { order_id } = await ask(orderId, 'POST', '/orders/regular', dialect.place)
      made.push(order_id)
      await until('it is open', async () => (await inBook(order_id))?.status === 'OPEN')
      const path = `/orders/regular/${order_id}`
      expect(await ask(orderId, 'PUT', path, dialect.modify(order_id))).toEqual({ order_id })
      await until('it is modified', async () => (await inBook(order_id))?.price === 1_161)
      expect(await ask(orderId, 'DELETE', path)).toEqual({ order_id })
      await until('it is cancelled', async () => (await inBook(order_id))?.status === 'CANCELLED')
      await until('its history', async () => {
        const steps = await ask(z.array(goOrder), 'GET', `/orders/${order_id}`)
        return steps.at(-1)?.status === 'CANCELLED' && steps[0]?.tag === 'wire'
      })
    })

    it('what an account has, and what the market does', async () => {
      const each = z.array(z.looseObject({ total: z.number() }))
      const basket = z.object({ initial: each.element, final: each.element, orders: each })
      await ask(basket, 'POST', dialect.basket, JSON.stringify([MARGIN_ORDER]))
      await ask(z.array(goTrade).min(1), 'GET', '/trades')
      await ask(z.array(goHolding).min(1), 'GET', '/portfolio/holdings')
      const segment = z.object({ enabled: z.boolean(), net: z.number() })
      await ask(z.looseObject({ equity: segment, commodity: segment }), 'GET', '/user/margins')
      await ask(z.looseObject({ user_id: z.string(), meta: z.object({}) }), 'GET', '/user/profile')
      const path = `/instruments/historical/${INFY}/day?${dialect.history}`
      expect((await ask(z.object({ candles: z.array(candle) }), 'GET', path)).candles.length).toBe(5)
      const quoted = z.record(z.string(), z.object({ instrument_token: z.int(), last_price: z.number() }))
      expect(await ask(quoted, 'GET', '/quote/ltp?i=NSE%3AINFY&i=NSE%3AM%26M')).toHaveProperty(['NSE:INFY'])
      const dump = await send('GET', '/instruments/NSE')
      expect(dump.headers.get('content-type')).toBe('text/csv')
      const rows = (await dump.text()).split('\n').slice(1)
      expect(rows.every((row) => Number.isFinite(Number(row.split(',')[0] || 'no')))).toBe(true)
    })
  })
}

const SCOPES = ['orders:read', 'orders:write', 'portfolio:read', 'stream', 'instruments:read']
