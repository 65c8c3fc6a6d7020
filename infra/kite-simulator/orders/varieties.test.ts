// Orders that are not regular, and those that are several in the book.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Simulator } from '../index.ts'
import { call, LIMIT_ORDER, type Reply, startTestSimulator, USER, until } from '../testing/harness.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startTestSimulator()
})
afterAll(() => simulator.stop())

const rows = z.array(
  z.looseObject({
    order_id: z.string(),
    status: z.string(),
    tag: z.string().nullable(),
    tags: z.array(z.string()),
    parent_order_id: z.string().nullable(),
    quantity: z.number(),
  }),
)
const order = (variety: string, change: Record<string, unknown>) =>
  call(simulator, 'POST', `/orders/${variety}`, { ...LIMIT_ORDER, ...change })
const idOf = (reply: Reply) => z.object({ order_id: z.string() }).parse(reply.data).order_id
const tagged = async (tag: string) =>
  rows.parse((await call(simulator, 'GET', '/orders')).data).filter((row) => row.tag === tag)
const FILLS_AT_ONCE = 2_000
const FUTURE = { exchange: 'NFO', tradingsymbol: 'NIFTY26NOVFUT', product: 'NRML', price: 20_000 }
const LOT = 65
/** NIFTY's freeze quantity in whole lots of the generated market. */
const SLICE = 27 * LOT

describe('iceberg', () => {
  it('shows one leg after the other, each of the first one and with its tag', async () => {
    const placed = await order('iceberg', {
      ...{ quantity: 25, iceberg_legs: 3, iceberg_quantity: 10, price: FILLS_AT_ONCE, tag: 'ice' },
    })
    const legs = await until(
      () => tagged('ice'),
      (all) => all.length === 3 && all.every(({ status }) => status === 'COMPLETE'),
    )
    expect(legs.map(({ quantity }) => quantity)).toEqual([10, 10, 5])
    expect(legs.map((leg) => leg.parent_order_id)).toEqual([null, idOf(placed), idOf(placed)])
  })

  it('cancelled, no further leg begins', async () => {
    const id = idOf(
      await order('iceberg', { quantity: 20, iceberg_legs: 2, iceberg_quantity: 10, tag: 'one' }),
    )
    await until(
      () => tagged('one'),
      ([leg]) => leg?.status === 'OPEN',
    )
    await call(simulator, 'DELETE', `/orders/iceberg/${id}`)
    const legs = await until(
      () => tagged('one'),
      ([leg]) => leg?.status === 'CANCELLED',
    )
    expect(legs).toHaveLength(1)
  })

  it.each([
    ['legs beyond 50', { iceberg_legs: 51, iceberg_quantity: 1 }, /legs/],
    ['legs that are not the quantity', { iceberg_legs: 3, iceberg_quantity: 10 }, /iceberg_quantity/],
    [
      'a market order',
      { iceberg_legs: 2, iceberg_quantity: 5, order_type: 'MARKET', market_protection: -1 },
      /LIMIT/,
    ],
  ])('%s is refused', async (_, change, message) => {
    expect((await order('iceberg', change)).message).toMatch(message)
  })
})

describe('cover order', () => {
  it('gets its stop-loss leg when it has filled; cancelling that leg leaves the position', async () => {
    const id = idOf(
      await order('co', { price: FILLS_AT_ONCE, trigger_price: 900, product: 'MIS', tag: 'co' }),
    )
    const [, stop] = await until(
      () => tagged('co'),
      ([, leg]) => leg?.status === 'TRIGGER PENDING',
    )
    expect(stop).toMatchObject({
      ...{ parent_order_id: id, transaction_type: 'SELL', trigger_price: 900, variety: 'co', quantity: 10 },
    })
    await call(simulator, 'DELETE', `/orders/co/${stop?.order_id}?parent_order_id=${id}`)
    await until(
      () => tagged('co'),
      ([, leg]) => leg?.status === 'COMPLETE',
    )
  })

  it('needs a trigger', async () => {
    expect((await order('co', {})).message).toMatch(/trigger_price/)
  })
})

it('an auction order names its auction; bracket orders are no variety', async () => {
  const placed = await order('auction', { auction_number: '22', tag: 'auction' })
  expect(placed.http).toBe(200)
  expect(await tagged('auction')).toMatchObject([{ auction_number: '22', variety: 'auction' }])
  expect((await order('auction', {})).message).toMatch(/auction_number/)
  expect((await order('bo', {})).message).toMatch(/variety/)
})

it('an after-market order is refused while there is a session, kept over night, and sent when the next begins', async () => {
  const own = await startTestSimulator({ calendar: 'real' })
  const at = (time: string) => call(own, 'POST', '/sim/clock', { set: `2026-11-${time}:00+05:30` })
  const place = () => call(own, 'POST', '/orders/amo', { ...LIMIT_ORDER, tag: 'amo' })
  expect(await place()).toMatchObject({ http: 400, error_type: 'OrderException', message: /not taken now/ })
  await at('23T17:00')
  const id = idOf(await place())
  await at('25T08:00')
  const session = await call(own, 'POST', '/sim/login', { user_id: USER.user_id })
  const auth = `token ${USER.api_key}:${z.object({ access_token: z.string() }).parse(session.data).access_token}`
  const book = async () => rows.parse((await call(own, 'GET', '/orders', undefined, auth)).data)
  expect(await book()).toMatchObject([{ order_id: id, status: 'AMO REQ RECEIVED' }])
  await at('25T09:16')
  await until(book, ([only]) => only?.status === 'OPEN')
  await own.stop()
})

describe('an order beyond the freeze quantity', () => {
  it('is refused unless it may be cut, and when it would be more than 10 slices', async () => {
    const beyond = { ...FUTURE, quantity: SLICE + LOT }
    expect(await order('regular', beyond)).toMatchObject({ error_type: 'OrderException', message: /freeze/ })
    const far = { ...FUTURE, quantity: 11 * SLICE, autoslice: true }
    expect((await order('regular', far)).message).toMatch(/more than 10 slices/)
  })

  it('is cut into slices: the first is the parent of the others, which say so', async () => {
    const placed = await order('regular', {
      ...FUTURE,
      quantity: 2 * SLICE + LOT,
      autoslice: true,
      tag: 'cut',
    })
    const slices = await tagged('cut')
    const [parent, ...children] = slices.map(({ order_id }) => order_id)
    expect(placed.data).toEqual({ order_id: parent, children: children.map((order_id) => ({ order_id })) })
    expect(slices.map(({ quantity }) => quantity)).toEqual([SLICE, SLICE, LOT])
    expect(slices[2]?.tags).toEqual(['cut', 'autoslice', `autoslice:${parent}`])
  })

  it('one slice may be refused, and the answer may be the older, flat one', async () => {
    await call(simulator, 'POST', '/sim/faults', {
      kind: 'reject_order',
      how: 'sync',
      message: 'Invalid price',
    })
    await call(simulator, 'POST', '/sim/faults', { kind: 'flat_autoslice' })
    const placed = await order('regular', { ...FUTURE, quantity: 2 * SLICE, autoslice: 'True', tag: 'flat' })
    const [taken] = await tagged('flat')
    const error = { code: 400, error_type: 'InputException', message: 'Invalid price', data: null }
    expect(placed.data).toEqual([{ error }, { order_id: taken?.order_id }])
  })
})
