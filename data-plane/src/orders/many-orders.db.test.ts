// Intents that are several orders at the broker: icebergs, cover orders, slices.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { brokerRow, brokerTime, orderPath } from '../testing/order-path.ts'
import { seedChange, seedIntent } from '../testing/seed-account.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

const running: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0)) await stop()
})

let names = 0
async function setup() {
  names += 1
  const desk = await orderPath(database.pool, names, running, {})
  const { pool, accountId } = desk
  return {
    ...desk,
    id: (name: string) => `${name}-${accountId}`,
    async show(...rows: Parameters<typeof brokerRow>[0][]) {
      desk.broker.book.push(...rows.map(brokerRow))
      desk.path.updatesLost()
    },
    /** The orders of an intent, each with its status as last seen; null: not seen. */
    async ordersOf(intentId: string) {
      const { rows } = await pool.query<{ order_id: string; status: string | null; ours: boolean }>(
        `select l.order_id, o.status, o.intent_id = l.intent_id as ours from ticker.intent_orders l
         left join ticker.orders o on o.account_id = l.account_id and o.order_id = l.order_id
         where l.intent_id = $1 order by l.order_id`,
        [intentId],
      )
      return rows.map(({ order_id, status, ours }) => [order_id, ours ? status : null])
    },
    async events(intentId: string) {
      const { rows } = await pool.query<{ kind: string; order_id: string | null }>(
        'select kind, order_id from ticker.order_events where intent_id = $1 order by seq',
        [intentId],
      )
      return rows
    },
    async cancel(intentId: string) {
      const id = await seedChange(pool, accountId, { intentId })
      desk.path.wake()
      return id
    },
    changeIs: (id: string, state: string) =>
      vi.waitFor(
        async () =>
          expect(
            (await pool.query('select state from ticker.order_changes where id = $1', [id])).rows[0]?.state,
          ).toBe(state),
        { timeout: 15_000, interval: 25 },
      ),
  }
}

it('a leg without our tag is its parent’s, also when it was seen before its parent was known', async () => {
  const desk = await setup()
  const [parent, early, late] = [`id-1-${desk.accountId}`, desk.id('early'), desk.id('late')]
  await desk.show({ order_id: early, parent_order_id: parent })
  await vi.waitFor(() => expect(desk.changes).toContain(`${early}:OPEN`), { timeout: 5_000 })
  const intentId = await desk.place()
  await desk.becomes(intentId, 'ACCEPTED')
  await desk.show({ order_id: late, tags: ['autoslice', `autoslice:${parent}`] })
  await vi.waitFor(
    async () =>
      expect(await desk.ordersOf(intentId)).toEqual([
        [early, 'OPEN'],
        [parent, 'OPEN'],
        [late, 'OPEN'],
      ]),
    { timeout: 10_000, interval: 25 },
  )
})

it('an order in doubt is adopted with every leg of it in one read', async () => {
  const desk = await setup()
  desk.broker.answer = () => ({ kind: 'no_answer', reason: 'reset' })
  const tag = `doubt${names}`
  const intentId = await desk.place(tag)
  await desk.becomes(intentId, 'UNKNOWN')
  const [first, second] = [desk.id('a'), desk.id('b')]
  await desk.show({ order_id: second, parent_order_id: first }, { order_id: first, tag })
  await desk.becomes(intentId, 'ACCEPTED')
  expect((await desk.intent(intentId))?.broker_order_id).toBe(first)
  await vi.waitFor(async () =>
    expect(await desk.ordersOf(intentId)).toEqual([
      [first, 'OPEN'],
      [second, 'OPEN'],
    ]),
  )
})

it('the parts of other people’s orders stay theirs', async () => {
  const desk = await setup()
  await desk.show({ order_id: desk.id('web') }, { order_id: desk.id('leg'), parent_order_id: desk.id('web') })
  await vi.waitFor(() => expect(desk.changes).toHaveLength(2), { timeout: 5_000 })
  const { rows } = await desk.pool.query('select from ticker.intent_orders where account_id = $1', [
    desk.accountId,
  ])
  expect(rows).toEqual([])
})

it('leaving a cover order cancels its stop-loss leg, with its parent', async () => {
  const desk = await setup()
  const intentId = await seedIntent(desk.pool, desk.accountId, {
    tag: `cover${names}`,
    request: { variety: 'co', trigger_price: 1400 },
  })
  desk.path.wake()
  await desk.becomes(intentId, 'ACCEPTED')
  const [entry, stop] = [`id-1-${desk.accountId}`, desk.id('stop')]
  desk.broker.book = []
  await desk.show(
    { order_id: entry, variety: 'co', status: 'COMPLETE', exchange_update_timestamp: brokerTime(Date.now()) },
    {
      order_id: stop,
      variety: 'co',
      status: 'TRIGGER PENDING',
      parent_order_id: entry,
      tag: `cover${names}`,
    },
  )
  await vi.waitFor(async () => expect((await desk.ordersOf(intentId)).length).toBe(2), { timeout: 5_000 })
  await desk.changeIs(await desk.cancel(intentId), 'DONE')
  expect(desk.broker.changes).toEqual([`DELETE /orders/co/${stop}?parent_order_id=${entry}`])
})

it('a cancel begins again when one more order of its intent turns up, and says so', async () => {
  const desk = await setup()
  const intentId = await desk.place()
  await desk.becomes(intentId, 'ACCEPTED')
  await vi.waitFor(() => expect(desk.changes).toHaveLength(1), { timeout: 5_000 })
  const cancel = await desk.cancel(intentId)
  await desk.changeIs(cancel, 'DONE')
  const leg = desk.id('leg')
  await desk.show({ order_id: leg, parent_order_id: `id-1-${desk.accountId}` })
  await vi.waitFor(
    () =>
      expect(desk.broker.changes.at(-1)).toBe(
        `DELETE /orders/regular/${leg}?parent_order_id=id-1-${desk.accountId}`,
      ),
    {
      timeout: 10_000,
    },
  )
  await desk.changeIs(cancel, 'DONE')
  expect(await desk.events(intentId)).toContainEqual({ kind: 'cancel.queued', order_id: leg })
})
