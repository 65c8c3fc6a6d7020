import { createServer } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Simulator } from '../index.ts'
import {
  call,
  connected,
  INFY,
  LIMIT_ORDER,
  MONDAY_MORNING_MS,
  place,
  type Reply,
  startTestSimulator,
  USER,
  until,
} from '../testing/harness.ts'
import { tempFile } from '../testing/temp-file.ts'
import { sha256 } from '../users/user-store.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startTestSimulator()
})
afterAll(() => simulator.stop())

const rows = z.array(z.looseObject({ order_id: z.string(), status: z.string() }))
const rowsOf = (reply: Reply) => rows.parse(reply.data)
const history = async (orderId: string) => rowsOf(await call(simulator, 'GET', `/orders/${orderId}`))
const settled = (orderId: string, status: string) =>
  until(
    () => history(orderId),
    (steps) => steps.at(-1)?.status === status,
  )
const book = async () => rowsOf(await call(simulator, 'GET', '/orders'))
const order = (change: Record<string, unknown>) =>
  call(simulator, 'POST', '/orders/regular', { ...LIMIT_ORDER, ...change })
const arm = (body: Record<string, unknown>) => call(simulator, 'POST', '/sim/faults', body)
const lastPrice = async () => {
  const quotes = z.record(z.string(), z.object({ last_price: z.number() }))
  return (
    quotes.parse((await call(simulator, 'GET', '/quote/ltp?i=NSE:INFY')).data)['NSE:INFY']?.last_price ?? 0
  )
}

describe('the life of an order', () => {
  it('a limit that reaches the other side fills, with a trade and a position', async () => {
    const orderId = await place(simulator, { price: 2_000, tag: 'abc' })
    const steps = await settled(orderId, 'COMPLETE')
    expect(steps.map((step) => step.status)).toEqual([
      'PUT ORDER REQ RECEIVED',
      'VALIDATION PENDING',
      'OPEN PENDING',
      'OPEN',
      'COMPLETE',
    ])
    expect(steps[0]).toMatchObject({ instrument_token: 1, exchange_order_id: null })
    expect(steps.at(-1)).toMatchObject({
      tags: ['abc'],
      filled_quantity: 10,
      pending_quantity: 0,
      exchange_update_timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/),
    })
    const trades = await call(simulator, 'GET', `/orders/${orderId}/trades`)
    expect(trades.data).toMatchObject([{ order_id: orderId, quantity: 10, transaction_type: 'BUY' }])
    const positions = await call(simulator, 'GET', '/portfolio/positions')
    expect(positions.data).toMatchObject({ net: [{ tradingsymbol: 'INFY', quantity: 10, product: 'CNC' }] })
    const margins = await call(simulator, 'GET', '/user/margins/equity')
    expect(Object(margins.data).net).toBeLessThan(10_000_000)
  })

  it('a limit away from the market rests, is modified, and fills once it can', async () => {
    const orderId = await place(simulator, { price: 1_000 })
    await settled(orderId, 'OPEN')
    expect((await call(simulator, 'PUT', `/orders/regular/${orderId}`, { price: 2_000 })).http).toBe(200)
    const steps = await settled(orderId, 'COMPLETE')
    expect(steps.slice(4).map((step) => step.status)).toEqual([
      'MODIFY VALIDATION PENDING',
      'MODIFY PENDING',
      'MODIFIED',
      'OPEN',
      'COMPLETE',
    ])
    expect(await call(simulator, 'DELETE', `/orders/regular/${orderId}`)).toMatchObject({
      http: 400,
      error_type: 'OrderException',
    })
    expect((await call(simulator, 'PUT', `/orders/regular/${orderId}`, { price: 1 })).http).toBe(400)
  })

  it('a resting order fills at its price when a later tick crosses it', async () => {
    const own = await startTestSimulator({ ticksPerSecond: 0 })
    const prices = [1_001, 1_000.5, 999].map(
      (price, second) => `2025-10-09 09:15:0${second},${INFY},${price}`,
    )
    const path = await tempFile('ticks.csv', `timestamp,token,ltp\n${prices.join('\n')}\n`)
    await call(own, 'POST', '/sim/replay', { path, start: 'on_subscribe', speed: 100 })
    // Before the first tick there is no price: nothing can fill, and a market order has no band.
    const market = await place(own, { order_type: 'MARKET', price: 0, market_protection: 1 })
    const orders = async () => rowsOf(await call(own, 'GET', '/orders'))
    await until(orders, ([only]) => only?.status === 'REJECTED')
    const orderId = await place(own)
    const settledOrders = await until(orders, (all) => all.at(-1)?.status === 'COMPLETE')
    expect(settledOrders).toMatchObject([{ order_id: market }, { order_id: orderId, average_price: 1_000 }])
    await own.stop()
  })

  it('a protected market order becomes a LIMIT with the system tags', async () => {
    const orderId = await place(simulator, {
      order_type: 'MARKET',
      price: '',
      market_protection: -1,
      tag: 'm',
    })
    const done = (await settled(orderId, 'COMPLETE')).at(-1)
    expect(done).toMatchObject({
      order_type: 'LIMIT',
      market_protection: 0,
      tags: ['m', 'mktp', 'mktp:0.50'],
    })
  })

  it('stop orders wait at TRIGGER PENDING and work when triggered', async () => {
    const waiting = await place(simulator, { order_type: 'SL', price: 2_100, trigger_price: 2_000 })
    await settled(waiting, 'TRIGGER PENDING')
    await call(simulator, 'PUT', `/orders/regular/${waiting}`, { trigger_price: 1_990 })
    await settled(waiting, 'TRIGGER PENDING')
    const last = await lastPrice()
    const stop = { order_type: 'SL-M', market_protection: 5, price: 0, trigger_price: Math.round(last) - 300 }
    const triggered = await place(simulator, stop)
    const steps = await settled(triggered, 'COMPLETE')
    expect(steps.map((step) => step.status)).toContain('TRIGGER PENDING')
    await call(simulator, 'DELETE', `/orders/regular/${waiting}`)
    const cancelled = await settled(waiting, 'CANCELLED')
    expect(cancelled.at(-2)?.status).toBe('CANCEL PENDING')
  })

  it('an IOC order that finds nothing is cancelled; an AMO waits', async () => {
    await settled(await place(simulator, { validity: 'IOC' }), 'CANCELLED')
    const amo = await call(simulator, 'POST', '/orders/amo', LIMIT_ORDER)
    const orderId = String(Object(amo.data).order_id)
    await settled(orderId, 'AMO REQ RECEIVED')
    await call(simulator, 'DELETE', `/orders/amo/${orderId}`)
    await settled(orderId, 'CANCELLED')
  })

  it('may fill in two trades, with an UPDATE between', async () => {
    const own = await startTestSimulator({ partialFillChance: 1 })
    const client = await connected(own)
    await place(own, { price: 2_000 })
    await client.until((seen) => seen.texts().length === 2)
    const updates = client.texts().map((text) => JSON.parse(text))
    expect(updates).toMatchObject([
      { type: 'order', data: { status: 'UPDATE', filled_quantity: 5, unfilled_quantity: 5, checksum: '' } },
      { type: 'order', data: { status: 'COMPLETE', filled_quantity: 10 } },
    ])
    await own.stop()
  })
})

it('starts each day with an empty book, and yesterday’s resting orders are gone', async () => {
  const own = await startTestSimulator()
  await place(own)
  await until(
    async () => rowsOf(await call(own, 'GET', '/orders')),
    ([row]) => row?.status === 'OPEN',
  )
  // After midnight, before the token dies at 06:00.
  await call(own, 'POST', '/sim/clock', { set: '2026-11-24T01:00:00+05:30' })
  expect((await call(own, 'GET', '/orders')).data).toEqual([])
  await own.stop()
})

describe('refusals', () => {
  it.each([
    ['an unknown instrument', { tradingsymbol: 'NOSUCH' }, /either expired or does not exist/],
    ['an index', { tradingsymbol: 'NIFTY 50' }, /does not exist/],
    ['a price off the tick', { price: 1_000.03 }, /^Tick size for this script is 0.10/],
    ['MARKET without protection', { order_type: 'MARKET' }, /without market protection/],
    ['SL-M without protection', { order_type: 'SL-M', trigger_price: 10 }, /without market protection/],
    ['a long tag', { tag: 'x'.repeat(21) }, /`tag`/],
    ['a quantity that is no multiple of the lot', nfo({ quantity: 3 }), /lot size/],
    ['no quantity', { quantity: '' }, /Missing or empty field `quantity`/],
    ['a limit without price', { price: 'undefined' }, /`price`/],
    ['a stop without trigger', { order_type: 'SL' }, /`trigger_price`/],
    ['an unknown product', { product: 'XYZ' }, /`product`/],
  ])('%s is refused at once, without a row in the book', async (_name, change, message) => {
    const before = (await book()).length
    expect(await order(change)).toMatchObject({
      http: 400,
      error_type: 'InputException',
      message: expect.stringMatching(message),
    })
    expect((await book()).length).toBe(before)
  })

  it('unknown order ids say so', async () => {
    expect((await call(simulator, 'DELETE', '/orders/regular/1')).http).toBe(400)
    expect((await call(simulator, 'PUT', '/orders/regular/1', {})).http).toBe(400)
    expect((await call(simulator, 'GET', '/orders/1')).http).toBe(404)
    expect((await call(simulator, 'GET', '/orders/1/trades')).http).toBe(404)
  })

  it('an expired contract is refused', async () => {
    const late = await startTestSimulator()
    await call(late, 'POST', '/sim/clock', { set: '2026-12-15T10:00:00+05:30' })
    await call(late, 'POST', '/sim/login', { user_id: USER.user_id, result: 'session' })
    const { access_token: token } = Object(
      (await call(late, 'POST', '/sim/login', { user_id: USER.user_id })).data,
    )
    const auth = `token ${USER.api_key}:${token}`
    const reply = await call(late, 'POST', '/orders/regular', { ...LIMIT_ORDER, ...nfo({}) }, auth)
    expect(reply.message).toMatch(/either expired/)
    await late.stop()
  })

  it('too little money is a row that risk management rejects later', async () => {
    const orderId = await place(simulator, { quantity: 1_000_000, price: 2_000 })
    const rejected = (await settled(orderId, 'REJECTED')).at(-1)
    expect(rejected).toMatchObject({
      exchange_order_id: null,
      status_message: expect.stringMatching(/^Insufficient funds\. Required margin is/),
      status_message_raw: expect.stringMatching(/^RMS:Margin Exceeds,Required:.*entity account-AB1234/),
    })
  })
})

describe('faults around an order', () => {
  const attempt = (tag: string) => order({ tag }).catch(() => 'connection lost')
  const tagged = async (tag: string) => (await book()).filter((row) => row.tag === tag).length

  it('lose_reply places the order and cuts the connection', async () => {
    await arm({ kind: 'lose_reply' })
    expect(await attempt('lost')).toBe('connection lost')
    expect(await tagged('lost')).toBe(1)
  })

  it('never_arrives leaves no row', async () => {
    await arm({ kind: 'never_arrives' })
    expect(await attempt('never')).toBe('connection lost')
    expect(await tagged('never')).toBe(0)
  })

  it('timeout_400 says it timed out, and the order exists', async () => {
    await arm({ kind: 'timeout_400' })
    expect(await attempt('timeout')).toMatchObject({
      http: 400,
      message: expect.stringMatching(/^Order request timed out/),
    })
    expect(await tagged('timeout')).toBe(1)
  })

  it('order_429 places nothing, as often as it was armed', async () => {
    await arm({ kind: 'order_429', count: 2 })
    expect([await attempt('r'), await attempt('r'), await attempt('s')]).toMatchObject([
      { http: 429 },
      { http: 429 },
      { http: 200 },
    ])
    expect(await tagged('r')).toBe(0)
  })

  it('reject_order refuses at once or later', async () => {
    await arm({ kind: 'reject_order', how: 'sync', message: 'no' })
    expect(await attempt('sync')).toMatchObject({ http: 400, message: 'no' })
    await arm({ kind: 'reject_order', how: 'async', message: 'RMS:Blocked' })
    const reply = await order({ tag: 'async' })
    const rejected = await settled(String(Object(reply.data).order_id), 'REJECTED')
    expect(rejected.at(-1)).toMatchObject({ status_message_raw: 'RMS:Blocked' })
  })

  it('strikes a modify or a cancel when told so, and leaves the others alone', async () => {
    const orderId = await place(simulator, { price: 1_000 })
    await settled(orderId, 'OPEN')
    const path = `/orders/regular/${orderId}`
    await arm({ kind: 'never_arrives', on: 'cancel' })
    await arm({ kind: 'timeout_400', on: 'modify' })
    expect((await call(simulator, 'PUT', path, { price: 1_001 })).message).toContain('timed out')
    await until(
      () => history(orderId),
      (steps) => steps.at(-1)?.status === 'OPEN' && steps.at(-1)?.price === 1_001,
    )
    await expect(call(simulator, 'DELETE', path)).rejects.toThrow()
    expect((await history(orderId)).at(-1)?.status).toBe('OPEN')
    expect((await call(simulator, 'DELETE', `/orders/amo/${orderId}`)).http).toBe(400)
    expect((await call(simulator, 'DELETE', path)).http).toBe(200)
    await settled(orderId, 'CANCELLED')
    expect((await call(simulator, 'DELETE', path)).message).toBe(
      'Order cannot be cancelled as it is in CANCELLED state.',
    )
  })

  it('lose_reply can also hang: the order exists, the answer never comes', async () => {
    await arm({ kind: 'lose_reply', how: 'hang' })
    const body = new URLSearchParams({ ...LIMIT_ORDER, quantity: '1', price: '1000', tag: 'hang' })
    const headers = { authorization: `token ${USER.api_key}:${USER.access_token}` }
    const signal = AbortSignal.timeout(200)
    const reply = fetch(`${simulator.url}/orders/regular`, { method: 'POST', headers, body, signal })
    await expect(reply).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(await tagged('hang')).toBe(1)
  })

  it('delay_book hides the order for the time asked', async () => {
    let wall = MONDAY_MORNING_MS
    const own = await startTestSimulator({ wallMs: () => wall })
    const fault = { kind: 'delay_book', delay_ms: 90_000 }
    expect((await call(own, 'POST', '/sim/faults', fault)).http).toBe(200)
    await place(own, { tag: 'late' })
    expect((await call(own, 'GET', '/orders')).data).toEqual([])
    wall += 90_000
    expect((await call(own, 'GET', '/orders')).data).toMatchObject([{ tag: 'late' }])
    await own.stop()
  })
})

describe('postbacks', () => {
  it('carry a checksum over order id, timestamp and secret', async () => {
    const bodies: Record<string, unknown>[] = []
    const receiver = createServer((request, response) => {
      let body = ''
      request.on('data', (chunk) => {
        body += chunk
      })
      request.on('end', () => {
        bodies.push(JSON.parse(body))
        response.end()
      })
    })
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
    const address = receiver.address()
    const port = typeof address === 'object' ? address?.port : 0
    await call(simulator, 'PUT', '/sim/users/AB1234', { postback_url: `http://127.0.0.1:${port}/p` })
    const orderId = await place(simulator, { price: 2_000 })
    await until(
      async () => bodies,
      (all) => all.some((one) => one.order_id === orderId),
    )
    const postback = bodies.find((one) => one.order_id === orderId)
    expect(postback).toMatchObject({ status: 'COMPLETE', user_id: 'AB1234' })
    expect(postback?.checksum).toBe(sha256(orderId + postback?.order_timestamp + USER.api_secret))
    receiver.close()
    await call(simulator, 'PUT', '/sim/users/AB1234', { postback_url: 'http://127.0.0.1:9/closed' })
    await settled(await place(simulator, { price: 2_000 }), 'COMPLETE')
  })
})

function nfo(change: Record<string, unknown>) {
  return {
    exchange: 'NFO',
    tradingsymbol: 'NIFTY26NOVFUT',
    product: 'NRML',
    quantity: 65,
    price: 20_000,
    ...change,
  }
}

it('trades derivatives on margin', async () => {
  const orderId = String(
    Object((await order(nfo({ transaction_type: 'SELL', price: 20_000 }))).data).order_id,
  )
  await settled(orderId, 'COMPLETE')
  const net = z.array(z.looseObject({ tradingsymbol: z.string() }))
  const positions = net.parse(Object((await call(simulator, 'GET', '/portfolio/positions')).data).net)
  expect(positions.find((one) => one.tradingsymbol === 'NIFTY26NOVFUT')).toMatchObject({ quantity: -65 })
  expect((await call(simulator, 'GET', '/trades')).http).toBe(200)
})

describe('what an account holds', () => {
  const INFY_HELD = { exchange: 'NSE', tradingsymbol: 'INFY', quantity: 20, average_price: 1_400 }
  const trader = { ...USER, holdings: [INFY_HELD] }
  const holdings = z.array(
    z.looseObject({ quantity: z.number(), t1_quantity: z.number(), average_price: z.number() }),
  )
  const held = async (one: Simulator) =>
    holdings
      .parse((await call(one, 'GET', '/portfolio/holdings')).data)
      .map(({ tradingsymbol, quantity, t1_quantity }) => [tradingsymbol, quantity, t1_quantity])

  it('is what it began with; what is bought for delivery is T1 the next day, and delivered the day after', async () => {
    const one = await startTestSimulator({ users: [trader] })
    try {
      expect(await held(one)).toEqual([['INFY', 20, 0]])
      const orderId = await place(one, { tradingsymbol: 'TCS', quantity: 5, price: 9_000 })
      await until(
        async () => rowsOf(await call(one, 'GET', `/orders/${orderId}`)),
        (steps) => steps.at(-1)?.status === 'COMPLETE',
      )
      expect(await held(one)).toEqual([['INFY', 20, 0]])
      for (const [day, delivered, t1] of [
        ['24', 0, 5],
        ['25', 5, 0],
      ] as const) {
        await call(one, 'POST', '/sim/clock', { set: `2026-11-${day}T05:00:00+05:30` })
        const { access_token } = z
          .object({ access_token: z.string() })
          .parse((await call(one, 'POST', '/sim/login', { user_id: USER.user_id })).data)
        const reply = await call(
          one,
          'GET',
          '/portfolio/holdings',
          undefined,
          `token ${USER.api_key}:${access_token}`,
        )
        expect(holdings.parse(reply.data)).toMatchObject([
          { tradingsymbol: 'INFY', quantity: 20, t1_quantity: 0, average_price: 1_400 },
          { tradingsymbol: 'TCS', quantity: delivered, t1_quantity: t1 },
        ])
      }
    } finally {
      await one.stop()
    }
  })

  it('a lot of a commodity is worth its multiplier, in the position and in the money it ties up', async () => {
    const one = await startTestSimulator({ users: [{ ...USER, balance: 100_000_000 }] })
    try {
      const gold = { exchange: 'MCX', tradingsymbol: 'GOLD26DECFUT', product: 'NRML', quantity: 1 }
      const orderId = await place(one, { ...gold, price: 200_000 })
      const filled = await until(
        async () => rowsOf(await call(one, 'GET', `/orders/${orderId}`)),
        (steps) => steps.at(-1)?.status === 'COMPLETE',
      )
      const price = Number(filled.at(-1)?.average_price)
      const positions = z.object({ net: z.array(z.looseObject({})) })
      expect(positions.parse((await call(one, 'GET', '/portfolio/positions')).data).net).toMatchObject([
        { multiplier: 100, quantity: 1, average_price: price, buy_value: price * 100 },
      ])
      const margins = z.object({ utilised: z.object({ debits: z.number() }) })
      const { utilised } = margins.parse((await call(one, 'GET', '/user/margins/equity')).data)
      expect(utilised.debits).toBeCloseTo(price * 100 * 0.12, 2)
    } finally {
      await one.stop()
    }
  })
})
