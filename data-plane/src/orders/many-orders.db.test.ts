// Intents that are several orders at the broker: icebergs, cover orders, slices.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { brokerTime } from '@ticker/shared/domain'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { answered, brokerRow, orderPath } from '../testing/order-path.ts'
import { seedAccount, seedChange, seedIntent } from '../testing/seed-account.ts'
import { createIntentStore } from './intent-store.ts'
import { createOrderStore } from './order-store.ts'

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

it('an iceberg between two legs is not over: the next leg is looked for, and cancelled', async () => {
  const desk = await setup()
  const intentId = await seedIntent(desk.pool, desk.accountId, {
    tag: `ice${names}`,
    request: { variety: 'iceberg', quantity: 30, iceberg_legs: 3, iceberg_quantity: 10 },
  })
  desk.path.wake()
  await desk.becomes(intentId, 'ACCEPTED')
  const [first, second] = [`id-1-${desk.accountId}`, desk.id('second')]
  desk.broker.book = []
  const leg = { variety: 'iceberg', quantity: 10 }
  await desk.show({
    ...leg,
    ...{ order_id: first, status: 'COMPLETE', exchange_update_timestamp: brokerTime(Date.now()) },
  })
  await vi.waitFor(async () => expect(await desk.ordersOf(intentId)).toEqual([[first, 'COMPLETE']]), {
    timeout: 5_000,
  })
  const cancel = await desk.cancel(intentId)
  // Nobody tells of it: it is in the book, and the book is read.
  desk.broker.book.push(brokerRow({ ...leg, order_id: second, parent_order_id: first }))
  await desk.changeIs(cancel, 'DONE')
  expect(desk.broker.changes).toEqual([`DELETE /orders/iceberg/${second}?parent_order_id=${first}`])
})

const REFUSED = {
  error: { code: 400, error_type: 'MarginException', message: 'Insufficient funds.', data: null },
}
const UNLISTED = { error: { code: 500, error_type: 'GeneralException', message: 'Odd.', data: null } }

async function cut(answer: (tag: string, desk: Awaited<ReturnType<typeof setup>>) => unknown) {
  const desk = await setup()
  const tag = `cut${names}`
  desk.broker.answer = () => answered(200, { status: 'success', data: answer(tag, desk) })
  const intentId = await seedIntent(desk.pool, desk.accountId, {
    ...{ tag, request: { quantity: 30, autoslice: true } },
  })
  desk.path.wake()
  const slicesOf = async () =>
    (await desk.pool.query('select slices from ticker.order_intents where id = $1', [intentId])).rows[0]
      ?.slices
  const missing = async (expected: number) =>
    vi.waitFor(
      async () =>
        expect(await desk.registry.metrics()).toContain(
          `ticker_orders_accepted_unseen{account="${desk.accountId}"} ${expected}`,
        ),
      { timeout: 12_000, interval: 25 },
    )
  return { desk, tag, intentId, slicesOf, missing }
}

it('slices: each order id is the intent’s, each refusal is kept, and one POST was sent', async () => {
  const { desk, intentId, slicesOf, missing, tag } = await cut((_, { id }) => [
    ...[{ order_id: id('a') }, REFUSED, { order_id: id('b') }],
  ])
  await desk.becomes(intentId, 'ACCEPTED')
  expect(await slicesOf()).toEqual({ refused: ['Insufficient funds.'], in_doubt: [] })
  await missing(1)
  await desk.show({ order_id: desk.id('a'), tag, quantity: 10 }, { order_id: desk.id('b'), quantity: 10 })
  // The refusal explains what is not there.
  await missing(0)
  expect(await desk.ordersOf(intentId)).toEqual([
    [desk.id('a'), 'OPEN'],
    [desk.id('b'), 'OPEN'],
  ])
  expect(desk.broker.posts).toHaveLength(1)
})

it('slices: one that may be there all the same is looked for, though others are known; found, it is the intent’s', async () => {
  const { desk, intentId, slicesOf, missing, tag } = await cut((_, { id }) => ({
    ...{ order_id: id('a'), children: [UNLISTED, { order_id: id('b') }] },
  }))
  await desk.becomes(intentId, 'ACCEPTED')
  expect(await slicesOf()).toEqual({ refused: [], in_doubt: ['Odd.'] })
  await desk.show({ order_id: desk.id('a'), tag, quantity: 10 }, { order_id: desk.id('b'), quantity: 10 })
  await vi.waitFor(() => expect(desk.changes).toHaveLength(2), { timeout: 10_000 })
  await missing(1)
  // A cancel is not over either.
  const cancel = await desk.cancel(intentId)
  await vi.waitFor(() => expect(desk.broker.changes).toHaveLength(2), { timeout: 10_000 })
  await desk.show({ order_id: desk.id('c'), tags: ['autoslice', `autoslice:${desk.id('a')}`], quantity: 10 })
  await desk.changeIs(cancel, 'DONE')
  await missing(0)
  expect(await desk.ordersOf(intentId)).toEqual(['a', 'b', 'c'].map((name) => [desk.id(name), 'CANCELLED']))
})

it('slices: a modify of the whole waits until all are seen, and then is of none', async () => {
  const { desk, intentId, tag } = await cut((_, { id }) => ({
    ...{ order_id: id('a'), children: [{ order_id: id('b') }] },
  }))
  await desk.becomes(intentId, 'ACCEPTED')
  const modify = await seedChange(desk.pool, desk.accountId, { intentId }, { quantity: 20 })
  await desk.show({ order_id: desk.id('a'), tag, quantity: 15 })
  await vi.waitFor(() => expect(desk.changes).toHaveLength(1), { timeout: 10_000 })
  await desk.show({ order_id: desk.id('b'), parent_order_id: desk.id('a'), quantity: 15 })
  await desk.changeIs(modify, 'REFUSED')
  expect(desk.broker.changes).toEqual([])
})

it('slices: an answer that cannot be read in full keeps the ids it has, in doubt until the book has spoken', async () => {
  const { desk, intentId } = await cut((_, { id }) => ({
    order_id: id('a'),
    children: [{ order_id: id('b') }, 7],
  }))
  await desk.becomes(intentId, 'UNKNOWN')
  expect(await desk.ordersOf(intentId)).toEqual([
    [desk.id('a'), null],
    [desk.id('b'), null],
  ])
  // Neither carries our tag: the id alone says whose they are.
  await desk.show({ order_id: desk.id('a') })
  await desk.becomes(intentId, 'ACCEPTED')
  expect(desk.broker.posts).toHaveLength(1)
})

it('slices: every one refused is REJECTED, and a lost answer is followed until the whole quantity is seen', async () => {
  const all = await cut(() => [REFUSED, REFUSED])
  await all.desk.becomes(all.intentId, 'REJECTED')
  expect(await all.slicesOf()).toMatchObject({ refused: ['Insufficient funds.', 'Insufficient funds.'] })
  const lost = await cut(() => ({}))
  await lost.desk.becomes(lost.intentId, 'UNKNOWN')
  await lost.desk.show({ order_id: lost.desk.id('a'), tag: lost.tag, quantity: 20 })
  await lost.desk.becomes(lost.intentId, 'ACCEPTED')
  await lost.missing(1)
  await lost.desk.show({ order_id: lost.desk.id('b'), parent_order_id: lost.desk.id('a'), quantity: 10 })
  await lost.missing(0)
})

it('slices: whatever the broker did with each and in whatever order they are seen, one that may exist is never forgotten', async () => {
  names += 1
  const accountId = `slices${names}`
  await seedAccount(database.pool, accountId)
  const [intents, orders] = [createIntentStore(database.pool), createOrderStore(database.pool)]
  const slice = fc.record({
    outcome: fc.constantFrom('id', 'refused', 'doubt placed', 'doubt not placed'),
    seenAt: fc.nat(100),
    byTag: fc.boolean(),
  })
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(slice, { minLength: 2, maxLength: 10 }), fc.boolean(), async (cut, isLost) => {
      runs += 1
      const tag = `s${names}r${runs}`
      const intentId = await seedIntent(database.pool, accountId, {
        ...{ tag, request: { quantity: 10 * cut.length, autoslice: true } },
      })
      await database.pool.query(
        `update ticker.order_intents set state = 'SENDING', sending_epoch = 1, attempts = 1, sending_at = now() where id = $1`,
        [intentId],
      )
      const named = cut.map((each, index) => ({ ...each, id: `${tag}-${String(index).padStart(2, '0')}` }))
      const withId = isLost ? [] : named.filter(({ outcome }) => outcome === 'id')
      const words = (what: string) => cut.filter(({ outcome }) => outcome.startsWith(what)).map(() => what)
      const slices = { refused: words('refused'), in_doubt: words('doubt') }
      const claim = { intentId, epoch: 1, attempt: 1 }
      const doubt = { code: 'outcome_unknown', reason: 'x', firstReadMs: 0 }
      if (isLost) await intents.settle(claim, { state: 'UNKNOWN', ...doubt })
      else if (withId.length > 0)
        await intents.settle(claim, { state: 'ACCEPTED', orderIds: withId.map(({ id }) => id), slices })
      else await intents.settle(claim, { state: 'UNKNOWN', ...doubt, slices })
      const arriving = named
        .filter(({ outcome }) => outcome === 'id' || outcome === 'doubt placed')
        .sort((a, b) => a.seenAt - b.seenAt)
      for (const [index, { id, byTag, outcome }] of arriving.entries()) {
        // Without our tag it is known by the answer, or by another that is.
        const known = outcome === 'id' && !isLost
        const how =
          byTag || (index === 0 && !known) ? { tag } : known ? {} : { parent_order_id: arriving[0]?.id }
        await orders.merge(accountId, [brokerRow({ order_id: id, quantity: 10, ...how })], 'book')
        const toCome = arriving.length - index - 1
        const { rows } = await database.pool.query<{ state: string }>(
          'select state from ticker.order_intents where id = $1',
          [intentId],
        )
        expect(rows[0]?.state).toBe('ACCEPTED')
        if (toCome > 0) expect((await orders.open(accountId)).unseen).toBe(1)
      }
      const { rows } = await database.pool.query<{ n: number }>(
        'select count(*)::int as n from ticker.orders where intent_id = $1',
        [intentId],
      )
      expect(rows[0]?.n).toBe(arriving.length)
      const isWhole = arriving.length === cut.length
      const isExplained = !isLost && slices.in_doubt.length === 0 && slices.refused.length > 0
      if (arriving.length > 0)
        expect((await orders.open(accountId)).unseen).toBe(isWhole || isExplained ? 0 : 1)
      await database.pool.query(
        `update ticker.order_intents set state = 'RELEASED' where account_id = $1 and state <> 'RELEASED'`,
        [accountId],
      )
    }),
    { numRuns: 60 },
  )
})
