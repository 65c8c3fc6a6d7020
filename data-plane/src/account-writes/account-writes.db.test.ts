// GTT writes and conversions against a real Postgres: at most one send of each, and what is in doubt is settled by reading.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { refusal } from '../testing/broker-answers.ts'
import { allowAll } from '../testing/send-path/idle-parts.ts'
import { GTT, listed, NO_ANSWER, writePath } from '../testing/write-path.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())
const running: (() => Promise<void>)[] = []
const stopAll = async () => {
  for (const stop of running.splice(0)) await stop()
}
afterEach(stopAll)

let serial = 0
const setup = (options: Parameters<typeof writePath>[3] = {}) => {
  serial += 1
  return writePath(database.pool, serial, running, options)
}
const eventually = { timeout: 10_000, interval: 25 }
const sentLongAgo = (id: string) =>
  database.pool.query(
    `update ticker.account_writes set sending_at = sending_at - interval '2 minutes' where id = $1`,
    [id],
  )
const CONVERT = {
  ...{
    account_id: 'x',
    exchange: 'NSE',
    tradingsymbol: 'INFY',
    transaction_type: 'BUY',
    position_type: 'day',
  },
  ...{ quantity: 4, old_product: 'CNC', new_product: 'MIS', expires_in_s: 30 },
}

it('place, modify and delete go out once each, in the broker’s form, and the list shows what is ours', async () => {
  const desk = await setup()
  const id = await desk.store('gtt_place')
  await desk.becomes(id, 'ACCEPTED')
  const triggerId = (await desk.row(id))?.trigger_id ?? ''
  expect(desk.broker.sent[0]).toMatchObject({ method: 'POST', path: '/gtt/triggers' })
  expect(Object.fromEntries(desk.broker.sent[0]?.form ?? [])).toEqual({
    type: 'single',
    condition: JSON.stringify({
      exchange: 'NSE',
      tradingsymbol: 'INFY',
      trigger_values: [1_400],
      last_price: 1_500,
    }),
    orders: JSON.stringify([
      { exchange: 'NSE', tradingsymbol: 'INFY', ...GTT.orders[0], order_type: 'LIMIT' },
    ]),
  })
  const shown = async () => {
    const { rows } = await database.pool.query(
      'select status, write_id from ticker.gtts where account_id = $1',
      [desk.accountId],
    )
    return rows
  }
  await vi.waitFor(
    async () => expect(await shown()).toEqual([{ status: 'active', write_id: id }]),
    eventually,
  )
  await desk.becomes(
    await desk.store('gtt_modify', { ...GTT, trigger_values: [1_380] }, { triggerId }),
    'ACCEPTED',
  )
  await desk.becomes(await desk.store('gtt_delete', null, { triggerId }), 'ACCEPTED')
  await vi.waitFor(
    async () => expect(await shown()).toEqual([{ status: 'deleted', write_id: id }]),
    eventually,
  )
  expect(desk.broker.sent.map(({ method }) => method)).toEqual(['POST', 'PUT', 'DELETE'])
  expect(await desk.events()).toEqual(
    expect.arrayContaining([
      'gtt_place.sending',
      'gtt_place.accepted',
      'gtt.active',
      'gtt_delete.accepted',
      'gtt.deleted',
    ]),
  )
})

it('its reply is lost: one GTT, adopted, and not the one that was there before', async () => {
  const desk = await setup({ paused: true })
  desk.broker.gtts = [listed('7')]
  desk.broker.answer = (request) => {
    desk.broker.take(request)
    return NO_ANSWER
  }
  desk.start()
  const id = await desk.store('gtt_place')
  await desk.becomes(id, 'ACCEPTED')
  expect((await desk.row(id))?.trigger_id).toBe('100')
  expect(desk.broker.sent).toHaveLength(1)
  expect(await desk.events()).toContain('gtt_place.unknown')
})

it('it never arrived: UNKNOWN, not sent again, an equal one waits behind it; given up and found after all it is adopted', async () => {
  const desk = await setup()
  desk.broker.answer = () => NO_ANSWER
  const id = await desk.store('gtt_place')
  await desk.becomes(id, 'UNKNOWN')
  const equal = await desk.store('gtt_place', GTT, { expiresInMs: 400 })
  await desk.becomes(equal, 'EXPIRED')
  await vi.waitFor(async () => {
    const { rows } = await database.pool.query('select absent_at from ticker.account_writes where id = $1', [
      id,
    ])
    expect(rows[0]?.absent_at).not.toBeNull()
  }, eventually)
  expect(desk.broker.sent).toHaveLength(1)
  await database.pool.query(`update ticker.account_writes set state = 'RELEASED' where id = $1`, [id])
  desk.broker.gtts = [listed('55')]
  // Any look at the list will do.
  await desk.store('gtt_delete', null, { triggerId: '9' })
  await desk.becomes(id, 'ACCEPTED')
  expect((await desk.row(id))?.trigger_id).toBe('55')
})

it('a crash between claim and send, and a take-over: in doubt for the next owner, who reads and never sends', async () => {
  const first = await setup()
  let dies = () => {}
  first.broker.answer = () =>
    new Promise((resolve) => {
      dies = () => resolve(NO_ANSWER)
    })
  const id = await first.store('gtt_place')
  await first.becomes(id, 'SENDING')
  await vi.waitFor(() => expect(first.broker.sent).toHaveLength(1), eventually)
  first.set(undefined)
  await database.pool.query(
    `update ticker.instances set lease_until = now() - interval '1 s' where epoch = $1`,
    [first.epoch],
  )
  const second = await setup({ from: first })
  expect(second.epoch).toBeGreaterThan(first.epoch)
  await second.becomes(id, 'UNKNOWN')
  expect(second.broker.sent).toHaveLength(1)
  second.broker.gtts = [listed('31')]
  await second.becomes(id, 'ACCEPTED')
  expect((await second.row(id))?.trigger_id).toBe('31')
  dies()
})

it('a claim that was not confirmed wrote nothing: it is undone and sent once', async () => {
  let fails = true
  const desk = await setup({
    writes: (store) => ({
      ...store,
      claim: async (...claiming) => {
        const claim = await store.claim(...claiming)
        if (fails) {
          fails = false
          throw new Error('connection lost')
        }
        return claim
      },
    }),
  })
  const id = await desk.store('gtt_place')
  await desk.becomes(id, 'ACCEPTED')
  expect(desk.broker.sent).toHaveLength(1)
  expect((await desk.row(id))?.attempts).toBe(2)
})

it.each([
  ['429', refusal(429, 'NetworkException', 'Too many requests'), 'ACCEPTED', 2],
  ['a refusal of its parameters', refusal(400, 'InputException', 'Invalid `price`.'), 'REJECTED', 1],
  ['a trigger already met', refusal(400, 'GeneralException', 'Trigger already met.'), 'REJECTED', 1],
  ['a timeout in disguise', refusal(400, 'OrderException', 'Order request timed out'), 'UNKNOWN', 1],
])('%s: %o', async (_, answer, state, sent) => {
  const desk = await setup()
  let isFirst = true
  desk.broker.answer = (request) => {
    if (!isFirst) return desk.broker.take(request)
    isFirst = false
    return answer
  }
  const id = await desk.store('gtt_place')
  await desk.becomes(id, state)
  expect(desk.broker.sent).toHaveLength(sent)
})

it('a dead session: back to QUEUED, nothing more is sent; the address refused: rejected, and the gate closes', async () => {
  const desk = await setup()
  desk.broker.answer = () => refusal(403, 'TokenException', 'Incorrect token')
  const id = await desk.store('gtt_place')
  await vi.waitFor(() => expect(desk.broker.sent).toHaveLength(1), eventually)
  await desk.becomes(id, 'QUEUED')
  const other = await setup()
  other.broker.answer = () => refusal(403, 'PermissionException', 'IP not allowed')
  await other.becomes(await other.store('gtt_place'), 'REJECTED')
  await vi.waitFor(async () => {
    const { rows } = await database.pool.query(
      'select order_gate_reason from ticker.accounts where id = $1',
      [other.accountId],
    )
    expect(rows[0]?.order_gate_reason).toContain('IP')
  }, eventually)
})

it('halted: only a delete goes out', async () => {
  const desk = await setup({ paused: true })
  desk.broker.gtts = [listed('7')]
  desk.halted.value = true
  desk.start()
  const placing = await desk.store('gtt_place', GTT, { expiresInMs: 500 })
  await desk.becomes(await desk.store('gtt_delete', null, { triggerId: '7' }), 'ACCEPTED')
  await desk.becomes(placing, 'EXPIRED')
  expect(desk.broker.sent.map(({ method }) => method)).toEqual(['DELETE'])
})

it('not sent: refused by the risk gate, past its trigger, or beyond 500', async () => {
  const decision = await allowAll.decide(...([{}, {}, {}] as unknown as Parameters<typeof allowAll.decide>))
  const seen: unknown[] = []
  const gated = await setup({
    risk: {
      ...allowAll,
      decide: async (_, order) => {
        seen.push(order)
        return { ...decision, allowed: false, code: 'risk_limit', reason: 'too much' }
      },
    },
  })
  const id = await gated.store('gtt_place')
  await gated.becomes(id, 'REFUSED')
  expect(await gated.row(id)).toMatchObject({ reason_code: 'risk_limit', reason: 'orders.0: too much' })
  expect(seen).toMatchObject([{ order_type: 'SL', trigger_price: 1_400, price: 1_395, quantity: 1 }])
  const passed = await setup({ lastPrice: 1_399 })
  const late = await passed.store('gtt_place')
  await passed.becomes(late, 'REFUSED')
  expect((await passed.row(late))?.reason_code).toBe('gtt_trigger_passed')
  const full = await setup({ paused: true })
  full.broker.gtts = Array.from({ length: 500 }, (_, index) => listed(String(1_000 + index)))
  full.start()
  const beyond = await full.store('gtt_place')
  await full.becomes(beyond, 'REFUSED')
  expect((await full.row(beyond))?.reason_code).toBe('gtt_limit')
  expect([gated, passed, full].flatMap(({ broker }) => broker.sent)).toEqual([])
})

it('modify and delete in doubt are settled by the fields and the status, and given up after 90 s', async () => {
  const desk = await setup({ paused: true })
  desk.broker.gtts = [listed('1'), listed('2'), listed('3')]
  desk.broker.answer = (request) => {
    if (!request.path.endsWith('/3')) desk.broker.take(request)
    return NO_ANSWER
  }
  desk.start()
  const changed = { ...GTT, trigger_values: [1_380] }
  await desk.becomes(await desk.store('gtt_modify', changed, { triggerId: '1' }), 'ACCEPTED')
  await desk.becomes(await desk.store('gtt_delete', null, { triggerId: '2' }), 'ACCEPTED')
  const lost = await desk.store('gtt_modify', changed, { triggerId: '3' })
  await desk.becomes(lost, 'UNKNOWN')
  await sentLongAgo(lost)
  await desk.becomes(lost, 'RELEASED')
  expect(desk.broker.sent).toHaveLength(3)
})

it('a GTT triggers: an event with its order, and the order book is asked for', async () => {
  const desk = await setup({ paused: true })
  desk.broker.gtts = [listed('5')]
  desk.start()
  await vi.waitFor(async () => expect(await desk.events()).toEqual(['gtt.active']), eventually)
  const result = { order_result: { status: 'success', order_id: '2511', rejection_reason: '' } }
  desk.broker.gtts = [listed('5', GTT, { status: 'triggered', orders: [{ ...GTT.orders[0], result }] })]
  await desk.becomes(await desk.store('gtt_delete', null, { triggerId: '6' }), 'ACCEPTED')
  await vi.waitFor(async () => expect(await desk.events()).toContain('gtt.triggered'), eventually)
  const { rows } = await database.pool.query(
    `select order_id, detail from ticker.order_events where account_id = $1 and kind = 'gtt.triggered'`,
    [desk.accountId],
  )
  expect(rows).toEqual([
    { order_id: '2511', detail: { trigger_id: '5', was: 'active', results: [result.order_result] } },
  ])
  expect(desk.triggered.count).toBe(1)
})

it('a conversion goes out once; in doubt the positions tell, or a person has to', async () => {
  const desk = await setup()
  await desk.becomes(await desk.store('convert', CONVERT), 'ACCEPTED')
  expect(Object.fromEntries(desk.broker.sent[0]?.form ?? [])).toEqual({
    ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', position_type: 'day' },
    ...{ quantity: '4', old_product: 'CNC', new_product: 'MIS' },
  })
  desk.broker.answer = (request) => {
    desk.broker.take(request)
    return NO_ANSWER
  }
  await desk.becomes(await desk.store('convert', { ...CONVERT, quantity: 1 }), 'ACCEPTED')
  expect(desk.broker.positions).toEqual({ CNC: 5, MIS: 5 })
  desk.broker.answer = () => NO_ANSWER
  const lost = await desk.store('convert', { ...CONVERT, quantity: 2 })
  await desk.becomes(lost, 'UNKNOWN')
  await vi.waitFor(async () => {
    const { rows } = await database.pool.query('select absent_at from ticker.account_writes where id = $1', [
      lost,
    ])
    expect(rows[0]?.absent_at).not.toBeNull()
  }, eventually)
  expect(desk.broker.sent).toHaveLength(3)
  expect((await desk.row(lost))?.state).toBe('UNKNOWN')
})
