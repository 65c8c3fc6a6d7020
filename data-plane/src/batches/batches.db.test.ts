// Batches in the order path, with real rows and a broker in memory.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { brokerTime, newId, type PlaceBatch, type PlaceOrder } from '@ticker/shared/domain'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { orderPath, refusal } from '../testing/order-path.ts'
import { takeOverOrderEvents } from '../webhooks/event-store.ts'
import { createBatchStore } from './batch-store.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())
const running: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0)) await stop()
})

let serial = 400
const WAIT = { timeout: 20_000, interval: 25 }

async function setup(options: { paused?: boolean } = {}) {
  serial += 1
  const desk = await orderPath(database.pool, serial, running, options)
  const { accountId, broker, path, pool } = desk
  const leg = (transaction_type: 'BUY' | 'SELL', quantity: number): PlaceOrder => ({
    ...{
      account_id: accountId,
      variety: 'regular',
      exchange: 'NSE',
      tradingsymbol: 'INFY',
      transaction_type,
    },
    ...{ quantity, product: 'MIS', order_type: 'LIMIT', price: 1_500, validity: 'DAY', expires_in_s: 30 },
  })
  const batch = async (legs: PlaceOrder[], more: Partial<PlaceBatch> = {}) => {
    const id = newId('bat')
    const request = {
      ...{ legs, sequence: 'hedge_first', unwind: 'none', check_margin: false, fill_timeout_s: 30 },
      ...more,
    }
    await pool.query(
      `insert into ticker.batches (id, account_id, idempotency_key, request_sha256, request, unwind, created_by)
       values ($1, $2, $1, '', $3, $4, 'key')`,
      [id, accountId, JSON.stringify(request), request.unwind],
    )
    path.wake()
    return id
  }
  const read = async (id: string) => {
    const { rows } = await pool.query(
      'select state, reason_code, reason, unwind_failure from ticker.batches where id = $1',
      [id],
    )
    return rows[0]
  }
  /** What the broker was sent, as `SELL 75`. */
  const sent = () =>
    broker.posts.map(
      (form) => `${form.get('transaction_type')} ${form.get('quantity')} ${form.get('order_type')}`,
    )
  const becomes = (id: string, state: string) =>
    vi.waitFor(async () => expect((await read(id))?.state).toBe(state), WAIT)
  const isSent = (orders: string[]) => vi.waitFor(() => expect(sent()).toEqual(orders), WAIT)
  /** As the broker has it from here on; the book is read again. */
  const turns = (at: number, status: string, filled_quantity: number) => {
    const row = broker.book[at]
    if (!row) throw new Error('no such order')
    const later = brokerTime(Date.now() + 1_000)
    broker.book[at] = { ...row, status, filled_quantity, exchange_update_timestamp: later }
    path.updatesLost()
  }
  return { ...desk, leg, batch, read, sent, becomes, isSent, turns, store: createBatchStore(pool) }
}

it('sells once the hedge is filled, and is done when the last is working', async () => {
  const desk = await setup()
  const id = await desk.batch([desk.leg('SELL', 2), desk.leg('BUY', 1)])
  await desk.isSent(['BUY 1 LIMIT'])
  expect((await desk.read(id))?.state).toBe('RUNNING')
  desk.turns(0, 'COMPLETE', 1)
  await desk.isSent(['BUY 1 LIMIT', 'SELL 2 LIMIT'])
  await desk.becomes(id, 'DONE')
  const { rows } = await desk.pool.query(
    `select kind from ticker.order_events where account_id = $1 and detail->>'batch_id' = $2 order by seq`,
    [desk.accountId, id],
  )
  expect(rows.map(({ kind }) => kind)).toEqual(['intent.queued', 'intent.queued', 'batch.done'])
})

it('squares off what was filled, once, when a later leg is refused', async () => {
  const desk = await setup()
  desk.broker.answer = (form) =>
    form.get('quantity') === '2'
      ? refusal(400, 'MarginException', 'Insufficient funds')
      : desk.broker.accept(form)
  const id = await desk.batch([desk.leg('BUY', 3), desk.leg('SELL', 2)], { unwind: 'square_off' })
  await desk.isSent(['BUY 3 LIMIT'])
  desk.turns(0, 'COMPLETE', 3)
  await desk.isSent(['BUY 3 LIMIT', 'SELL 2 LIMIT', 'SELL 3 MARKET'])
  expect(await desk.read(id)).toMatchObject({ state: 'STOPPING' })
  desk.turns(1, 'COMPLETE', 3)
  await desk.becomes(id, 'STOPPED')
  expect(await desk.read(id)).toMatchObject({ unwind_failure: null })
  expect(desk.sent()).toHaveLength(3)
})

it('a hedge that does not fill is cancelled; of what it filled before, just that is sold', async () => {
  const desk = await setup()
  // It has filled two by the time it is cancelled: no book ever shows it cancelled with none.
  desk.broker.answerChange = (request) => {
    const answer = desk.broker.change(request)
    desk.turns(0, 'CANCELLED', 2)
    return answer
  }
  const id = await desk.batch([desk.leg('BUY', 3), desk.leg('SELL', 3)], {
    ...{ unwind: 'square_off', fill_timeout_s: 30 },
  })
  await desk.isSent(['BUY 3 LIMIT'])
  // Its time is up only now: a timeout that is short enough to wait for could be up before it is sent.
  await desk.pool.query(
    `update ticker.order_intents set created_at = created_at - interval '31 s' where account_id = $1`,
    [desk.accountId],
  )
  desk.path.wake()
  await vi.waitFor(() => expect(desk.broker.changes).toHaveLength(1), WAIT)
  expect(await desk.read(id)).toMatchObject({ reason_code: 'fill_timeout' })
  await desk.isSent(['BUY 3 LIMIT', 'SELL 2 MARKET'])
  desk.turns(1, 'REJECTED', 0)
  await desk.becomes(id, 'STOPPED')
  expect((await desk.read(id))?.unwind_failure).toContain('Leg 0')
})

it('goes on from its rows after a crash; an owner of before, and a stop, keep a leg from being stored', async () => {
  const desk = await setup({ paused: true })
  const id = await desk.batch([desk.leg('BUY', 1), desk.leg('BUY', 2), desk.leg('SELL', 3)])
  const owner = { instanceId: desk.instanceId, epoch: desk.epoch }
  const stored = async () => {
    const [found] = await desk.store.live(desk.accountId)
    if (!found) throw new Error('not live')
    return found
  }
  const batch = await stored()
  expect(await desk.store.place(batch, 0, { ...owner, epoch: desk.epoch - 1 })).toBe(false)
  expect(await desk.store.place(batch, 0, owner)).toBe(true)
  expect(await desk.store.place(batch, 0, owner)).toBe(false)
  // The process died here: one of two stored, none sent.
  desk.start()
  await vi.waitFor(() => expect(desk.sent().sort()).toEqual(['BUY 1 LIMIT', 'BUY 2 LIMIT']), WAIT)
  await desk.pool.query('update ticker.batches set stop_requested_at = now() where id = $1', [id])
  expect(await desk.store.place(batch, 2, owner)).toBe(false)
  desk.path.wake()
  await desk.becomes(id, 'STOPPED')
  expect(desk.sent()).toHaveLength(2)
})

it('a leg in doubt for a minute stops it, counted, and the desk’s endpoint is told', async () => {
  const desk = await setup()
  await desk.pool.query(
    `insert into ticker.webhooks (id, owner, url, events, secret, created_by)
     select $2, a.owner, 'https://desk.example.com', '{orders}', 'sealed', 'key' from ticker.accounts a where a.id = $1`,
    [desk.accountId, `whk_${desk.accountId}`],
  )
  desk.broker.answer = () => refusal(502, 'NetworkException', 'Bad gateway')
  const id = await desk.batch([desk.leg('BUY', 1), desk.leg('SELL', 1)], { unwind: 'square_off' })
  await vi.waitFor(async () => {
    const { rows } = await desk.pool.query('select state from ticker.order_intents where batch_id = $1', [id])
    expect(rows).toEqual([{ state: 'UNKNOWN' }])
  }, WAIT)
  await desk.pool.query(
    `update ticker.order_intents set sending_at = sending_at - interval '61 s' where batch_id = $1`,
    [id],
  )
  desk.path.wake()
  await desk.becomes(id, 'STOPPING')
  expect(await desk.read(id)).toMatchObject({ reason_code: 'leg_unknown' })
  expect(await desk.registry.metrics()).toContain('ticker_batches_stopped_total{reason="leg_unknown"} 1')
  while ((await takeOverOrderEvents(desk.pool, true)) > 0);
  const { rows } = await desk.pool.query(
    `select body::jsonb->'data'->'detail' as detail from ticker.webhook_deliveries
     where webhook_id = $1 and event_type = 'batch.stopping' and body::jsonb->'data'->>'account_id' = $2`,
    [`whk_${desk.accountId}`, desk.accountId],
  )
  expect(rows).toMatchObject([{ detail: { batch_id: id, code: 'leg_unknown' } }])
  // Nothing is unwound while it is in doubt.
  expect(desk.sent()).toEqual(['BUY 1 LIMIT'])
})

it('what reverses it and rests for a minute is said once, and waited for', async () => {
  const desk = await setup()
  desk.broker.answer = (form) =>
    form.get('quantity') === '2'
      ? refusal(400, 'MarginException', 'Insufficient funds')
      : desk.broker.accept(form)
  const id = await desk.batch([desk.leg('BUY', 3), desk.leg('SELL', 2)], { unwind: 'square_off' })
  await desk.isSent(['BUY 3 LIMIT'])
  desk.turns(0, 'COMPLETE', 3)
  await desk.isSent(['BUY 3 LIMIT', 'SELL 2 LIMIT', 'SELL 3 MARKET'])
  await vi.waitFor(async () => {
    const { rowCount } = await desk.pool.query(
      `update ticker.order_intents set sending_at = sending_at - interval '61 s'
       where batch_id = $1 and state = 'ACCEPTED' and idempotency_key like '%:unwind'`,
      [id],
    )
    expect(rowCount).toBe(1)
  }, WAIT)
  const said = async () => {
    const { rows } = await desk.pool.query(
      `select detail from ticker.order_events where account_id = $1 and kind = 'batch.unwind_resting'`,
      [desk.accountId],
    )
    return rows
  }
  desk.path.wake()
  const once = [{ detail: { batch_id: id, legs: [0] } }]
  await vi.waitFor(async () => expect(await said()).toEqual(once), WAIT)
  expect((await desk.read(id))?.state).toBe('STOPPING')
  desk.path.wake()
  desk.turns(1, 'COMPLETE', 3)
  await desk.becomes(id, 'STOPPED')
  expect(await said()).toEqual(once)
  expect(await desk.registry.metrics()).toContain('ticker_batch_unwinds_resting_total 1')
  expect(await desk.read(id)).toMatchObject({ unwind_failure: null })
})

it('one that nobody took up in time sends nothing', async () => {
  const desk = await setup({ paused: true })
  const id = await desk.batch([desk.leg('BUY', 1)])
  await desk.pool.query(`update ticker.batches set created_at = created_at - interval '31 s' where id = $1`, [
    id,
  ])
  desk.start()
  await desk.becomes(id, 'STOPPED')
  expect(await desk.read(id)).toMatchObject({ reason_code: 'leg_expired' })
  expect(desk.sent()).toEqual([])
})

it('an order that the broker does not cancel is said to be open', async () => {
  const desk = await setup()
  const id = await desk.batch([desk.leg('BUY', 1), desk.leg('SELL', 1)], { unwind: 'cancel_open' })
  await desk.isSent(['BUY 1 LIMIT'])
  desk.broker.answerChange = () => refusal(400, 'OrderException', 'Order cannot be cancelled')
  await desk.pool.query('update ticker.batches set stop_requested_at = now() where id = $1', [id])
  desk.path.wake()
  await vi.waitFor(async () => {
    const { rowCount } = await desk.pool.query(
      `update ticker.order_changes set state = 'REJECTED' where idempotency_key = $1`,
      [`batch:${id}:0:cancel`],
    )
    expect(rowCount).toBe(1)
  }, WAIT)
  await desk.becomes(id, 'STOPPED')
  expect((await desk.read(id))?.unwind_failure).toContain('Leg 0 is open')
})
