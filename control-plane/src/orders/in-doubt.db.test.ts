// What a person does with an order in doubt or one that came to nothing, and what happened to all of them.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let keys = 0
const key = () => ({ headers: { 'idempotency-key': `doubt-${++keys}` } })
beforeAll(async () => {
  harness = await startHarness()
  const instance = await harness.seed.instance()
  await harness.seed.instruments()
  await harness.seed.account('desk1', { instance, loggedIn: true })
  await harness.seed.account('foreign', { owner: 'another desk', instance, loggedIn: true })
})
afterAll(() => harness.close())

const ORDER = {
  ...{ account_id: 'desk1', exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: 1 },
  ...{ product: 'CNC', order_type: 'LIMIT', price: 1500, tag: 'mine' },
}

async function orderIn(state: string, absentFor?: string, readAgo = '5 seconds'): Promise<string> {
  const { body } = await harness.call('POST', '/v1/orders', ORDER, key())
  await harness.database.pool.query(
    `update ticker.order_intents set state = $2, sending_at = now() - interval '10 minutes',
       absent_since = now() - $3::interval, absent_until = now() - $4::interval where id = $1`,
    [body.id, state, absentFor ?? null, absentFor === undefined ? null : readAgo],
  )
  return body.id
}
const release = (id: string) => harness.call('POST', `/v1/orders/${id}/release`)
const requeue = (id: string, more = key()) =>
  harness.call('POST', `/v1/orders/${id}/requeue`, undefined, more)

test('an order in doubt is released once the book was read without it for 90 s, and lately', async () => {
  const id = await orderIn('UNKNOWN', '91 seconds')
  expect((await harness.call('GET', `/v1/orders/${id}`)).body.not_seen_since).not.toBeNull()
  const released = await release(id)
  expect(released).toMatchObject({ status: 200, body: { state: 'RELEASED', reason_code: 'released' } })
  const { items } = (await harness.call('GET', '/v1/audit-log?action=order.release')).body
  expect(items).toMatchObject([{ subject: id }])
  expect((await release(id)).body).toMatchObject({ code: 'order_not_in_doubt', detail: 'It is RELEASED.' })
})

test.each([
  ['not read since it was sent', undefined, undefined, 'has not been read since'],
  ['for less than 90 s', '89 seconds', undefined, 'without it for 89 s'],
  ['not lately', '10 minutes', '121 seconds', 'last read 121 s ago'],
])('a book that was %s releases nothing', async (_, absentFor, readAgo, words) => {
  const refused = await release(await orderIn('UNKNOWN', absentFor, readAgo))
  expect(refused.body).toMatchObject({
    code: 'order_may_still_appear',
    detail: expect.stringContaining(words),
  })
})

test('what came to nothing is placed anew, once, as an order that names it', async () => {
  const id = await orderIn('REJECTED')
  const again = key()
  const anew = await requeue(id, again)
  expect(anew).toMatchObject({ status: 202, body: { state: 'QUEUED', requeue_of: id, tag: 'mine' } })
  expect((await requeue(id, again)).body.id).toBe(anew.body.id)
  expect((await requeue(id)).body).toMatchObject({ code: 'order_requeued', detail: `As ${anew.body.id}.` })
  expect((await requeue(anew.body.id)).body).toMatchObject({
    code: 'order_not_to_requeue',
    detail: 'It is QUEUED.',
  })
})

test('of ten that are asked for at once there is one', async () => {
  const id = await orderIn('EXPIRED')
  const answers = await Promise.all(Array.from({ length: 10 }, () => requeue(id)))
  const placed = answers.filter(({ status }) => status === 202)
  expect(placed).toHaveLength(1)
  expect(answers.filter(({ body }) => body.code === 'order_requeued')).toHaveLength(9)
})

test('one that is found while it is placed anew is not', async () => {
  const id = await orderIn('RELEASED')
  const { pool } = harness.database
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query(`update ticker.order_intents set state = 'ACCEPTED' where id = $1`, [id])
    const asked = requeue(id)
    // It has read RELEASED, and its own statement waits for the adoption.
    await vi.waitFor(
      async () => {
        const { rows } = await pool.query(
          `select count(*)::int as n from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`,
        )
        expect(rows[0].n).toBe(1)
      },
      { timeout: 10_000 },
    )
    await client.query('commit')
    expect((await asked).body).toMatchObject({
      code: 'order_not_to_requeue',
      detail: expect.stringContaining('meanwhile'),
    })
  } finally {
    await client.query('rollback')
    client.release()
  }
})

test.each(['QUEUED', 'SENDING', 'UNKNOWN', 'ACCEPTED', 'CANCELLED'])(
  '%s is not placed anew',
  async (state) => {
    expect((await requeue(await orderIn(state))).body.code).toBe('order_not_to_requeue')
  },
)

test('404 for another owner’s', async () => {
  const { id } = (await harness.call('POST', '/v1/orders', ORDER, key())).body
  const foreign = await harness.keyWith(['orders:write'], { owner: 'another desk' })
  expect(
    (await harness.call('POST', `/v1/orders/${id}/release`, undefined, { as: foreign.secret })).status,
  ).toBe(404)
  const asked = { ...key(), as: foreign.secret }
  expect((await harness.call('POST', `/v1/orders/${id}/requeue`, undefined, asked)).status).toBe(404)
})

test('events of the account from a number on: in order, none twice, and waited for', async () => {
  const path = '/v1/order-events?account_id=desk1'
  const first = (await harness.call('GET', `${path}&limit=2`)).body
  expect(first.items.map(({ seq }: { seq: number }) => seq)).toEqual([1, 2])
  expect(first.items[0]).toMatchObject({ kind: 'intent.queued', tag: 'mine', broker_order: null })
  const rest = (await harness.call('GET', `${path}&after=${first.last_seq}&limit=500`)).body
  expect(rest.items[0].seq).toBe(3)
  const waiting = harness.call('GET', `${path}&after=${rest.last_seq}`, undefined, {
    headers: { prefer: 'wait=15' },
  })
  const { id } = (await harness.call('POST', '/v1/orders', ORDER, key())).body
  expect((await waiting).body.items).toMatchObject([
    { seq: rest.last_seq + 1, intent_id: id, state: 'QUEUED' },
  ])
  const none = (await harness.call('GET', `${path}&after=99999`)).body
  expect(none).toEqual({ items: [], last_seq: 99999 })
  expect((await harness.call('GET', '/v1/order-events?account_id=foreign')).body.code).toBe(
    'account_not_found',
  )
})
