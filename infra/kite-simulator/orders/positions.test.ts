import { expect, it } from 'vitest'
import { z } from 'zod'
import { call, place, startTestSimulator, USER, until } from '../testing/harness.ts'

const GOLD = { exchange: 'MCX', tradingsymbol: 'GOLD26DECFUT', product: 'NRML' }
const lists = z.object({ net: z.array(z.looseObject({})), day: z.array(z.looseObject({})) })

it('what was open overnight counts from its cost, of the day from the last close, and is carried on', async () => {
  const one = await startTestSimulator({ users: [{ ...USER, balance: 100_000_000 }] })
  const positions = async (authorization?: string) =>
    lists.parse((await call(one, 'GET', '/portfolio/positions', undefined, authorization)).data)
  const carry = (change: object = {}) =>
    call(one, 'POST', '/sim/positions', {
      user_id: USER.user_id,
      positions: [{ ...GOLD, quantity: 2, average_price: 120_000, ...change }],
    })
  try {
    expect((await carry({ tradingsymbol: 'GONE' })).message).toContain('MCX:GONE is not listed')
    await carry()
    const { net, day } = await positions()
    expect(day).toEqual([])
    expect(net).toMatchObject([
      {
        ...{ ...GOLD, quantity: 2, overnight_quantity: 2, multiplier: 100, average_price: 120_000 },
        ...{ buy_quantity: 2, buy_value: 24_000_000, day_buy_quantity: 0, day_buy_value: 0, realised: 0 },
      },
    ])
    const [held] = net
    const [last, close] = [Number(held?.last_price), Number(held?.close_price)]
    expect(held?.buy_m2m).toBeCloseTo(2 * close * 100, 4)
    expect(held?.m2m).toBeCloseTo(2 * (last - close) * 100, 4)
    expect(held?.pnl).toBeCloseTo(2 * (last - 120_000) * 100, 4)

    const orderId = await place(one, { ...GOLD, transaction_type: 'SELL', quantity: 3, price: 90_000 })
    const book = z.array(z.looseObject({ status: z.string(), average_price: z.number() }))
    const filled = await until(
      async () => book.parse((await call(one, 'GET', `/orders/${orderId}`)).data),
      (steps) => steps.at(-1)?.status === 'COMPLETE',
    )
    const price = Number(filled.at(-1)?.average_price)
    const sold = await positions()
    expect(sold.day).toMatchObject([{ quantity: -3, overnight_quantity: 0 }])
    expect(sold.net).toMatchObject([{ quantity: -1, overnight_quantity: 2, day_sell_quantity: 3 }])
    expect(sold.net[0]?.realised).toBeCloseTo(2 * (price - 120_000) * 100, 4)

    await call(one, 'POST', '/sim/clock', { set: '2026-11-24T10:00:00+05:30' })
    const { data } = await call(one, 'POST', '/sim/login', { user_id: USER.user_id })
    const { access_token } = z.object({ access_token: z.string() }).parse(data)
    const next = await positions(`token ${USER.api_key}:${access_token}`)
    expect(next).toMatchObject({
      day: [],
      net: [{ quantity: -1, overnight_quantity: -1, average_price: price }],
    })
  } finally {
    await one.stop()
  }
})
