// The official JavaScript client, unmodified: its root URL is ours, and nothing else of it is changed.
import { SCOPES } from '@ticker/shared/domain'
import { KiteConnect } from 'kiteconnect'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { type Desk, LIMIT_ORDER } from '../desk.ts'

type Kite = InstanceType<typeof KiteConnect>
const INFY = 408_065
/** INFY trades about 1,500. */
const RESTS = 1_160
const rows = z.array(z.looseObject({ order_id: z.string(), status: z.string() }))
const tooMuch = z.object({ message: z.literal('Too many requests') })
const kiteError = z.object({
  status: z.string(),
  error_type: z.string(),
  message: z.string(),
  data: z.null(),
})

export function kiteRestSuite(desk: () => Desk) {
  describe('Kite-compatible REST', () => {
    /** With a key, and so with the limits, of its own. */
    const client = async (form = '', more: Record<string, unknown> = {}) => {
      const own = await desk().keyWith({ scopes: SCOPES, ...more })
      const { apiKey, accessToken } = await desk().kiteCredentials(own)
      const root = desk().system.controlPlaneUrl + form
      return new KiteConnect({ api_key: apiKey, access_token: accessToken, root })
    }
    const place = (kite: Kite, change: Record<string, unknown> = {}) =>
      kite.placeOrder('regular', {
        ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: 1, product: 'CNC' },
        ...{ order_type: 'LIMIT', price: RESTS, tag: 'strategy1' },
        ...change,
      } as Parameters<Kite['placeOrder']>[1])
    /** As a strategy does at the broker: after a second, when it was too much. */
    const inTurn = async <T>(ask: () => Promise<T>): Promise<T> => {
      const answers: T[] = []
      const refusals: unknown[] = []
      await until('its turn', async () => {
        await ask().then(
          (answer) => answers.push(answer),
          (why: unknown) => tooMuch.safeParse(why).success || refusals.push(why),
        )
        return answers.length + refusals.length > 0
      })
      const [answer] = answers
      if (answer === undefined) throw refusals[0]
      return answer
    }
    const book = (kite: Kite) => inTurn(async () => rows.parse(await kite.getOrders()))
    const found = async (kite: Kite, id: string) => (await book(kite)).find(({ order_id }) => order_id === id)
    /** As its axios sees it, whatever the client makes of that. */
    const raw = async (method: string, path: string, token?: string, body?: URLSearchParams) => {
      const { apiKey, accessToken } = await desk().kiteCredentials()
      const response = await fetch(`${desk().system.controlPlaneUrl}${path}`, {
        method,
        headers: { authorization: `token ${apiKey}:${token ?? accessToken}`, 'x-kite-version': '3' },
        body: body ?? null,
      })
      return {
        status: response.status,
        type: response.headers.get('content-type'),
        text: await response.text(),
      }
    }

    it('a whole order life: place, book, modify, history, cancel; the same at the broker, and in our own API', async () => {
      const kite = await client()
      const { order_id } = await place(kite)
      await until('it is open', async () => (await found(kite, order_id))?.status === 'OPEN')
      expect(await found(kite, order_id)).toMatchObject({
        tag: 'strategy1',
        tags: ['strategy1'],
        price: RESTS,
        quantity: 1,
      })
      const modified = await kite.modifyOrder('regular', order_id, { price: RESTS + 1, quantity: 1 })
      expect(modified.order_id).toBe(order_id)
      await until('it is modified', async () => (await found(kite, order_id))?.price === RESTS + 1)
      const history = rows.parse(await inTurn(() => kite.getOrderHistory(order_id)))
      expect(history.map(({ status }) => status)).toContain('OPEN')
      expect(history[0]).toMatchObject({ tag: 'strategy1' })
      expect((await kite.cancelOrder('regular', order_id)).order_id).toBe(order_id)
      await until('it is cancelled', async () => (await found(kite, order_id))?.status === 'CANCELLED')
      const ours = z.object({
        items: z.array(z.object({ tag: z.string().nullable(), broker_order_id: z.string().nullable() })),
      })
      const { items } = await desk().api.call(ours, 'GET', '/v1/orders?account_id=demo&limit=5')
      expect(items).toContainEqual({ tag: 'strategy1', broker_order_id: order_id })
    })

    it('fills, trades, positions, holdings, funds, margins and charges', async () => {
      const kite = await client('/kite/api')
      const { order_id } = await place(kite, { price: 1_650, product: 'MIS' })
      await until('it is filled', async () => (await found(kite, order_id))?.status === 'COMPLETE')
      const trades = z.array(z.looseObject({ order_id: z.string(), quantity: z.number() }))
      expect(trades.parse(await inTurn(() => kite.getOrderTrades(order_id)))).toMatchObject([
        { order_id, quantity: 1 },
      ])
      expect(trades.parse(await inTurn(() => kite.getTrades())).map((each) => each.order_id)).toContain(
        order_id,
      )
      const { net } = await inTurn(() => kite.getPositions())
      expect(net).toContainEqual(expect.objectContaining({ tradingsymbol: 'INFY', product: 'MIS' }))
      expect(await inTurn(() => kite.getHoldings())).toContainEqual(
        expect.objectContaining({ tradingsymbol: 'TCS', quantity: 10 }),
      )
      const { equity } = await inTurn(() => kite.getMargins())
      expect(equity?.net).toBeGreaterThan(0)
      expect(await inTurn(() => kite.getMargins('equity'))).toMatchObject({ enabled: true })
      const order = { ...LIMIT_ORDER, variety: 'regular', price: 1_500, trigger_price: 0, product: 'CNC' }
      const asked = [order] as unknown as Parameters<Kite['orderMargins']>[0]
      expect((await inTurn(() => kite.orderMargins(asked)))[0]?.total).toBeGreaterThan(0)
      expect((await inTurn(() => kite.orderBasketMargins(asked, true))).initial.total).toBeGreaterThan(0)
      expect((await inTurn(() => kite.getMFHoldings())).length).toBeGreaterThan(0)
      const imagined = [{ ...order, order_id: '1', order_type: 'MARKET', average_price: 1_500 }]
      const noted = imagined as unknown as Parameters<Kite['getvirtualContractNote']>[0]
      expect((await inTurn(() => kite.getvirtualContractNote(noted)))[0]).toMatchObject({
        ...{ tradingsymbol: 'INFY', order_type: 'MARKET', price: 1_500 },
        charges: { total: expect.any(Number), gst: { igst: expect.any(Number) } },
      })
    })

    it('quotes with depth from our ticks, instruments as CSV, candles from what is kept', async () => {
      const kite = await client('/kite/api/')
      await desk().subscribe([INFY])
      await until('it ticks', async () => 'NSE:INFY' in (await kite.getLTP(['NSE:INFY'])))
      const quotes = await client().then((other) => other.getQuote(['NSE:INFY', 'NSE:NOPE']))
      const quote = quotes['NSE:INFY']
      expect(quote).toMatchObject({ instrument_token: INFY, ohlc: { close: expect.any(Number) } })
      expect(quote?.depth.buy[0]?.price).toBeGreaterThan(0)
      expect(await (await client()).getOHLC('NSE:INFY')).toHaveProperty('NSE:INFY.ohlc')
      const listed = z
        .array(z.looseObject({ tradingsymbol: z.string() }))
        .parse(await kite.getInstruments(['NSE'] as never))
      expect(listed.length).toBeGreaterThan(10)
      expect(listed.at(-1)?.tradingsymbol).not.toBe('')
      const candles = await kite.getHistoricalData(INFY, 'day', '2026-11-02', '2026-11-06', false, true)
      expect(candles.length).toBeGreaterThan(0)
      expect(candles[0]?.date).toBeInstanceOf(Date)
      expect(candles[0]?.open).toBeGreaterThan(0)
    })

    it('a refusal is the broker’s envelope with the type that clients know', async () => {
      const kite = await client('/')
      await expect(place(kite, { price: RESTS + 0.001 })).rejects.toMatchObject({
        error_type: 'InputException',
      })
      await expect(kite.cancelOrder('regular', '999')).rejects.toMatchObject({ error_type: 'InputException' })
      await desk().fault('reject_order', {
        how: 'sync',
        message: 'Insufficient funds. Required margin is 1.',
      })
      await expect(place(kite)).rejects.toMatchObject({ error_type: 'MarginException' })
      await desk().api.call(z.unknown(), 'PUT', '/v1/trading-state', {
        account_id: 'demo',
        state: 'HALTED',
        reason: 'lunch',
      })
      await expect(place(kite)).rejects.toMatchObject({
        error_type: 'OrderException',
        message: expect.stringContaining('lunch'),
      })
      await desk().api.call(z.unknown(), 'PUT', '/v1/trading-state', {
        account_id: 'demo',
        state: 'ACTIVE',
        reason: 'over',
      })
      for (const [method, path, status, type] of [
        ['GET', '/orders/x/y/z', 404, 'GeneralException'],
        ['GET', '/kite/api/nothing', 404, 'GeneralException'],
        ['GET', '//alerts', 400, 'InputException'],
        ['POST', '/session/token', 400, 'InputException'],
      ] as const) {
        const answer = await raw(method, path)
        expect([answer.status, answer.type]).toEqual([status, 'application/json'])
        expect(kiteError.parse(JSON.parse(answer.text)).error_type).toBe(type)
      }
      const dead = await raw('GET', '/orders', 'wrong')
      expect([dead.status, kiteError.parse(JSON.parse(dead.text)).error_type]).toEqual([
        403,
        'TokenException',
      ])
      expect(await kite.invalidateAccessToken()).toBe(true)
      expect((await raw('GET', '/user/profile')).status).toBe(200)
    })

    it('an order whose reply is lost, and which the book shows, is certain all the same', async () => {
      const kite = await client()
      const before = await desk().ordersAtBroker()
      await desk().fault('lose_reply', { how: 'reset' })
      const { order_id } = await place(kite, { tag: 'found1' })
      expect(await found(kite, order_id)).toMatchObject({ tag: 'found1', status: 'OPEN' })
      expect(await desk().ordersAtBroker()).toBe(before + 1)
      expect((await kite.cancelOrder('regular', order_id)).order_id).toBe(order_id)
    })

    it('an order whose reply is lost is uncertain, in the book under our id until it is found, and there is one', async () => {
      const kite = await client('', { refuse_repeats_s: 60 })
      const before = await desk().ordersAtBroker()
      await desk().fault('lose_reply', { how: 'reset' })
      // The book is read after 3.5 s without it, and after 7.5 s with it: the client hears nothing certain in time.
      await desk().fault('delay_book', { delay_ms: 5_500 })
      await expect(place(kite, { tag: 'lost1' })).rejects.toMatchObject({
        ...{ error_type: 'NetworkException', message: expect.stringContaining('check the order book') },
      })
      // Its key refuses to place the same again meanwhile.
      await expect(place(kite, { tag: 'lost1' })).rejects.toMatchObject({
        ...{ error_type: 'OrderException', message: expect.stringContaining('equal order') },
      })
      const received = (await book(kite)).find(({ tag }) => tag === 'lost1')
      expect(received).toMatchObject({ status: 'PUT ORDER REQ RECEIVED', quantity: 1, tradingsymbol: 'INFY' })
      await until('it is found', async () =>
        (await book(kite)).some(({ tag, status }) => tag === 'lost1' && status === 'OPEN'),
      )
      expect((await book(kite)).filter(({ tag }) => tag === 'lost1')).toHaveLength(1)
      expect(await desk().ordersAtBroker()).toBe(before + 1)
      // Its first id still means it.
      await kite.cancelOrder('regular', received?.order_id ?? '')
      await until('it is cancelled', async () =>
        (await book(kite)).some(({ tag, status }) => tag === 'lost1' && status === 'CANCELLED'),
      )
    })
  })
}
