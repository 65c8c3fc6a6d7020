// Cancels and modifies against a real Postgres and a broker that loses, refuses and delays (RELIABILITY orders 8).
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { brokerTime, newId } from '@ticker/shared/domain'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { answered, brokerRow, orderPath, refusal } from '../testing/order-path.ts'
import { seedChange, seedIntent } from '../testing/seed-account.ts'
import { createChangeStore } from './change-store.ts'
import { createOrderStore } from './order-store.ts'
import type { SendOutcome } from './verdict.ts'

let database: TestDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

const running: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const stop of running.splice(0)) await stop()
})

const TIMEOUTS = 'ticker_order_book_reads_total{outcome="timeout"}'
const LOST: SendOutcome = { kind: 'no_answer', reason: 'reset' }
let names = 0

async function setup(options: Parameters<typeof orderPath>[3] = {}) {
  names += 1
  const path = await orderPath(database.pool, names, running, options)
  const { pool, accountId } = path
  const change = async (id: string) => {
    const { rows } = await pool.query<{ state: string; reason_code: string | null; reason: string | null }>(
      'select state, reason_code, reason from ticker.order_changes where id = $1',
      [id],
    )
    return rows[0]
  }
  return {
    ...path,
    change,
    ends: (id: string, state: string) =>
      vi.waitFor(
        async () => {
          // As a process that lives does; without its lease it sends nothing.
          path.lease.renewed(path.lease.read())
          expect((await change(id))?.state).toBe(state)
        },
        { timeout: 15_000, interval: 25 },
      ),
    /** Placed, accepted, and seen open. */
    async openOrder(tag?: string) {
      const intentId = await path.place(tag)
      await path.becomes(intentId, 'ACCEPTED')
      const orderId = (await path.intent(intentId))?.broker_order_id ?? ''
      await vi.waitFor(() => expect(path.changes).toContain(`${orderId}:OPEN`), { timeout: 5_000 })
      return { intentId, orderId }
    },
    async ask(of: { intentId?: string; orderId?: string }, fields?: Parameters<typeof seedChange>[3]) {
      const id = await seedChange(pool, accountId, of, fields)
      path.path.wake()
      return id
    },
    async booksRead() {
      const read = /^ticker_order_book_reads_total\{outcome="read"\} (\d+)$/m.exec(
        await path.registry.metrics(),
      )
      return Number(read?.[1] ?? 0)
    },
    statusAtBroker: (orderId: string) => path.broker.book.find((each) => each.order_id === orderId)?.status,
  }
}

it('cancels an open order once, and is DONE when the book shows it cancelled', async () => {
  const desk = await setup()
  const { intentId, orderId } = await desk.openOrder()
  const id = await desk.ask({ intentId })
  await desk.ends(id, 'DONE')
  expect(desk.broker.changes).toEqual([`DELETE /orders/regular/${orderId}`])
  expect(await desk.change(id)).toEqual({ state: 'DONE', reason_code: null, reason: null })
  const { rows } = await desk.pool.query<{ kind: string }>(
    `select kind from ticker.order_events where intent_id = $1 and kind like 'cancel.%' order by seq`,
    [intentId],
  )
  expect(rows.map(({ kind }) => kind)).toEqual(['cancel.sending', 'cancel.accepted', 'cancel.done'])
})

it('cancels an order placed elsewhere, with its variety and its parent', async () => {
  const desk = await setup()
  const orderId = `web-${names}`
  desk.broker.book.push(brokerRow({ order_id: orderId, variety: 'co', parent_order_id: 'p1' }))
  desk.path.updatesLost()
  await vi.waitFor(() => expect(desk.changes).toContain(`${orderId}:OPEN`), { timeout: 5_000 })
  await desk.ends(await desk.ask({ orderId }), 'DONE')
  expect(desk.broker.changes).toEqual([`DELETE /orders/co/${orderId}?parent_order_id=p1`])
})

it('cancels every order that one intent became', async () => {
  const desk = await setup()
  const { intentId, orderId } = await desk.openOrder(`many${names}`)
  desk.broker.book.push(brokerRow({ order_id: `child-${names}`, tags: ['autoslice', `many${names}`] }))
  desk.path.updatesLost()
  await vi.waitFor(() => expect(desk.changes).toContain(`child-${names}:OPEN`), { timeout: 5_000 })
  await desk.ends(await desk.ask({ intentId }), 'DONE')
  expect(new Set(desk.broker.changes)).toEqual(
    new Set([`DELETE /orders/regular/${orderId}`, `DELETE /orders/regular/child-${names}`]),
  )
})

it('an order that waits to be sent and is cancelled is never sent', async () => {
  const desk = await setup()
  desk.broker.reachable = false
  const intentId = await desk.place()
  const id = await desk.ask({ intentId })
  await desk.becomes(intentId, 'CANCELLED')
  await desk.ends(id, 'DONE')
  expect((await desk.change(id))?.reason_code).toBe('never_sent')
  desk.broker.reachable = true
  await desk.openOrder()
  expect(desk.broker.posts).toHaveLength(1)
})

it('of an order in doubt it waits, and runs when the order is found', async () => {
  const desk = await setup()
  let lost: URLSearchParams | undefined
  desk.broker.answer = (form) => {
    lost = form
    return LOST
  }
  const intentId = await desk.place()
  await desk.becomes(intentId, 'UNKNOWN')
  const id = await desk.ask({ intentId })
  const reads = () => desk.pool.query('select reads from ticker.order_intents where id = $1', [intentId])
  await vi.waitFor(async () => expect((await reads()).rows[0].reads).toBeGreaterThanOrEqual(2), {
    timeout: 10_000,
  })
  // What a person's release rests on.
  const { rows } = await desk.pool.query(
    'select absent_since < absent_until as noted from ticker.order_intents where id = $1',
    [intentId],
  )
  expect(rows).toEqual([{ noted: true }])
  expect((await desk.change(id))?.state).toBe('QUEUED')
  expect(desk.broker.changes).toEqual([])
  if (lost) desk.broker.arrive(lost)
  await desk.ends(id, 'DONE')
  expect(desk.broker.changes).toHaveLength(1)
  expect(desk.broker.posts).toHaveLength(1)
})

it('a cancel that was DONE begins again when an order of its intent turns up all the same', async () => {
  const desk = await setup()
  const intentId = await seedIntent(desk.pool, desk.accountId, { tag: `ghost${names}` })
  await desk.pool.query(`update ticker.order_intents set state = 'CANCELLED' where id = $1`, [intentId])
  const id = await desk.ask({ intentId })
  await desk.ends(id, 'DONE')
  desk.broker.book.push(brokerRow({ order_id: `ghost-${names}`, tag: `ghost${names}` }))
  desk.path.updatesLost()
  await vi.waitFor(() => expect(desk.statusAtBroker(`ghost-${names}`)).toBe('CANCELLED'), { timeout: 10_000 })
  await desk.ends(id, 'DONE')
})

it('the answer to a cancel is lost: sent again only after a later read shows the order open', async () => {
  const desk = await setup()
  const { intentId, orderId } = await desk.openOrder()
  desk.broker.answerChange = () => {
    desk.broker.answerChange = desk.broker.change
    return LOST
  }
  const id = await desk.ask({ intentId })
  await desk.ends(id, 'UNKNOWN')
  await desk.ends(id, 'DONE')
  expect(desk.broker.changes).toHaveLength(2)
  expect(desk.statusAtBroker(orderId)).toBe('CANCELLED')
  expect(await desk.registry.metrics()).toContain('ticker_order_cancels_repeated_total 1')
})

it('the answer is lost and the cancel arrived: the book says so, nothing is sent again', async () => {
  const desk = await setup()
  const { intentId } = await desk.openOrder()
  desk.broker.answerChange = (request) => {
    desk.broker.change(request)
    return LOST
  }
  await desk.ends(await desk.ask({ intentId }), 'DONE')
  expect(desk.broker.changes).toHaveLength(1)
})

it('an order that fills first is an answer: DONE, and how it ended', async () => {
  const desk = await setup()
  const { intentId, orderId } = await desk.openOrder()
  desk.broker.answerChange = () => {
    desk.broker.book = [brokerRow({ order_id: orderId, status: 'COMPLETE', filled_quantity: 1 })]
    return refusal(400, 'OrderException', 'Order cannot be cancelled as it is in COMPLETE state.')
  }
  const id = await desk.ask({ intentId })
  await desk.ends(id, 'DONE')
  expect(await desk.change(id)).toMatchObject({
    reason_code: 'already_finished',
    reason: 'At the broker: COMPLETE.',
  })
})

it('a cancel that the broker refuses three times over an open order is REJECTED with its words', async () => {
  const desk = await setup()
  const { intentId } = await desk.openOrder()
  const words = 'Order cannot be cancelled as it is being processed. Try later.'
  desk.broker.answerChange = () => refusal(400, 'OrderException', words)
  const id = await desk.ask({ intentId })
  await desk.ends(id, 'REJECTED')
  expect(await desk.change(id)).toMatchObject({ reason_code: 'broker_rejected', reason: words })
  expect(desk.broker.changes).toHaveLength(3)
})

it('refusals count for each order, each after a later read of the book: those of one do not end the cancel of another', async () => {
  const desk = await setup()
  const intentId = await desk.place()
  await desk.becomes(intentId, 'ACCEPTED')
  const first = (await desk.intent(intentId))?.broker_order_id ?? ''
  const others = ['b', 'c', 'd'].map((name) => `${name}-${desk.accountId}`)
  desk.broker.book.push(...others.map((order_id) => brokerRow({ order_id, parent_order_id: first })))
  desk.path.updatesLost()
  await vi.waitFor(() => expect(desk.changes).toHaveLength(4), { timeout: 5_000 })
  const [stubborn] = others
  const tries = (orderId?: string) => desk.broker.changes.filter((each) => each.includes(`/${orderId}`))
  const readsAtTry: number[] = []
  desk.broker.answerChange = async (request) => {
    const isFirstTry = tries(request.path.split('/').at(-1)?.replace(/\?.*/, '')).length === 1
    if (request.path.includes(`/${stubborn}`)) readsAtTry.push(await desk.booksRead())
    return isFirstTry || request.path.includes(`/${stubborn}`)
      ? refusal(400, 'OrderException', 'Order cannot be cancelled as it is being processed. Try later.')
      : desk.broker.change(request)
  }
  const id = await desk.ask({ intentId })
  await desk.ends(id, 'REJECTED')
  expect(tries(stubborn)).toHaveLength(3)
  for (const orderId of [first, ...others.slice(1)]) {
    expect(tries(orderId)).toHaveLength(2)
    expect(desk.statusAtBroker(orderId)).toBe('CANCELLED')
  }
  const [one = 0, two = 0, three = 0] = readsAtTry
  expect([two > one, three > two]).toEqual([true, true])
})

it('a cancel that the broker forbids is REJECTED at once, and the gate closes: no other would fare better', async () => {
  const desk = await setup()
  const { intentId } = await desk.openOrder()
  desk.broker.answerChange = () => refusal(403, 'PermissionException', 'IP 1.2.3.4 is not registered')
  const id = await desk.ask({ intentId })
  await desk.ends(id, 'REJECTED')
  expect(await desk.change(id)).toMatchObject({ reason: 'IP 1.2.3.4 is not registered' })
  expect(desk.broker.changes).toHaveLength(1)
  const { rows } = await desk.pool.query('select order_gate_reason from ticker.accounts where id = $1', [
    desk.accountId,
  ])
  expect(rows).toEqual([{ order_gate_reason: 'IP 1.2.3.4 is not registered' }])
})

it('while trading is halted and the gate is closed, cancels go out and modifies are refused', async () => {
  const desk = await setup()
  const { intentId, orderId } = await desk.openOrder()
  await desk.pool.query(
    `update ticker.accounts set trading_state = 'HALTED', order_gate_reason = 'closed' where id = $1`,
    [desk.accountId],
  )
  const { observed } = desk.account
  desk.set({
    ...desk.account,
    observed: { ...observed, trading_state: 'HALTED', order_gate_reason: 'closed' },
  })
  const modify = await desk.ask({ intentId, orderId }, { price: 1400 })
  await desk.ends(modify, 'REFUSED')
  await desk.ends(await desk.ask({ intentId }), 'DONE')
  expect(desk.broker.changes).toEqual([`DELETE /orders/regular/${orderId}`])
})

it('a modify states only what changes; several of one order go one after the other', async () => {
  const desk = await setup()
  const { intentId, orderId } = await desk.openOrder()
  const first = await desk.ask({ intentId, orderId }, { price: 1400 })
  const second = await desk.ask({ intentId, orderId }, { quantity: 2, order_type: 'MARKET' })
  await desk.ends(first, 'ACCEPTED')
  await desk.ends(second, 'ACCEPTED')
  expect(desk.broker.changes).toEqual([
    `PUT /orders/regular/${orderId} price=1400`,
    `PUT /orders/regular/${orderId} quantity=2&order_type=MARKET&market_protection=-1`,
  ])
})

it('a modify in doubt is settled by the order: shown as asked it is ACCEPTED, and not sent again', async () => {
  const desk = await setup()
  const { intentId, orderId } = await desk.openOrder()
  desk.broker.answerChange = (request) => {
    desk.broker.change(request)
    return LOST
  }
  const id = await desk.ask({ intentId, orderId }, { price: 1400 })
  await desk.ends(id, 'ACCEPTED')
  expect(desk.broker.changes).toHaveLength(1)
})

it('a modify in doubt is settled by what was read after it, not by what was known before', async () => {
  const desk = await setup()
  const { intentId, orderId } = await desk.openOrder()
  desk.broker.answerChange = () => {
    desk.broker.bookOutcome = { ok: false, failure: { kind: 'timeout' } }
    return LOST
  }
  const id = await desk.ask({ intentId, orderId }, { quantity: 1 })
  await vi.waitFor(async () => expect(await desk.registry.metrics()).toContain(TIMEOUTS), { timeout: 5_000 })
  await desk.ends(id, 'UNKNOWN')
  desk.broker.bookOutcome = undefined
  await desk.ends(id, 'ACCEPTED')
  expect(desk.broker.changes).toHaveLength(1)
})

it('a modify in doubt is not settled by a book that has its order in an unknown shape', async () => {
  const desk = await setup()
  const { intentId, orderId } = await desk.openOrder()
  const book = desk.broker.book
  desk.broker.answerChange = () => {
    desk.broker.book = []
    desk.broker.misshapen = [{ order_id: orderId, tags: [] }]
    return LOST
  }
  // What is stored shows it, from before.
  const id = await desk.ask({ intentId, orderId }, { quantity: 1 })
  await desk.ends(id, 'UNKNOWN')
  const seen = await desk.booksRead()
  await vi.waitFor(async () => expect(await desk.booksRead()).toBeGreaterThan(seen + 1), { timeout: 10_000 })
  expect((await desk.change(id))?.state).toBe('UNKNOWN')
  desk.broker.misshapen = []
  desk.broker.book = book
  await desk.ends(id, 'ACCEPTED')
})

it('cancels of one order under several keys: one is sent, and each is DONE', async () => {
  const desk = await setup({ paused: true })
  const orderId = `twice-${names}`
  desk.broker.book.push(brokerRow({ order_id: orderId }))
  const asked = await Promise.all([1, 2, 3].map(() => desk.ask({ orderId })))
  desk.start()
  for (const id of asked) await desk.ends(id, 'DONE')
  expect(desk.broker.changes).toEqual([`DELETE /orders/regular/${orderId}`])
})

it('a cancel waits for no answer to a modify', async () => {
  const desk = await setup()
  const { intentId, orderId } = await desk.openOrder()
  const modifyAnswered = Promise.withResolvers<SendOutcome>()
  desk.broker.answerChange = (request) =>
    request.method === 'PUT' ? modifyAnswered.promise : desk.broker.change(request)
  const modify = await desk.ask({ intentId, orderId }, { price: 1400 })
  await vi.waitFor(() => expect(desk.broker.changes).toHaveLength(1), { timeout: 5_000 })
  await desk.ends(await desk.ask({ intentId }), 'DONE')
  expect(desk.statusAtBroker(orderId)).toBe('CANCELLED')
  expect((await desk.change(modify))?.state).toBe('SENDING')
  modifyAnswered.resolve(LOST)
  await desk.ends(modify, 'RELEASED')
})

it('a modify waits while an earlier one is on its way to the exchange', async () => {
  const desk = await setup()
  const { intentId, orderId } = await desk.openOrder()
  const shows = (fields: Parameters<typeof brokerRow>[0]) => {
    const exchange_update_timestamp = brokerTime(Date.now() + 1_000 * desk.broker.changes.length)
    desk.broker.book = [brokerRow({ order_id: orderId, ...fields, exchange_update_timestamp })]
  }
  desk.broker.answerChange = (request) => {
    if (desk.broker.changes.length === 1) shows({ status: 'MODIFY PENDING' })
    return desk.broker.changes.length === 1
      ? answered(200, { status: 'success', data: { order_id: orderId } })
      : desk.broker.change(request)
  }
  const first = await desk.ask({ intentId, orderId }, { price: 1400 })
  const second = await desk.ask({ intentId, orderId }, { price: 1300 })
  await desk.ends(first, 'ACCEPTED')
  await vi.waitFor(() => expect(desk.changes.at(-1)).toBe(`${orderId}:MODIFY PENDING`), { timeout: 5_000 })
  const seen = await desk.booksRead()
  await vi.waitFor(async () => expect(await desk.booksRead()).toBeGreaterThan(seen + 1), { timeout: 20_000 })
  expect((await desk.change(second))?.state).toBe('QUEUED')
  desk.broker.book = [
    brokerRow({ order_id: orderId, price: 1400, exchange_update_timestamp: brokerTime(Date.now() + 5_000) }),
  ]
  await desk.ends(second, 'ACCEPTED')
  expect(desk.broker.changes).toHaveLength(2)
})

it('a modify waits while the answer to an earlier one is stored and not yet known to the path', async () => {
  let passes = 0
  let answerStored = () => {}
  const held = new Promise<void>((resolve) => {
    answerStored = resolve
  })
  const desk = await setup({
    changes: (store) => ({
      ...store,
      live(...of) {
        passes += 1
        return store.live(...of)
      },
      async settle(...of) {
        const settled = await store.settle(...of)
        await held
        return settled
      },
    }),
  })
  const { intentId, orderId } = await desk.openOrder()
  const first = await desk.ask({ intentId, orderId }, { price: 1400 })
  const second = await desk.ask({ intentId, orderId }, { price: 1300 })
  await desk.ends(first, 'ACCEPTED')
  const seen = passes
  await vi.waitFor(() => {
    desk.path.wake()
    expect(passes).toBeGreaterThan(seen + 2)
  })
  expect(desk.broker.changes).toHaveLength(1)
  answerStored()
  await desk.ends(second, 'ACCEPTED')
  expect(desk.broker.changes).toHaveLength(2)
})

it('a cancel of a day ago, whose order no book shows any more, is given up and says so', async () => {
  const desk = await setup({ paused: true })
  const orderId = `old-${names}`
  await createOrderStore(desk.pool).merge(desk.accountId, [brokerRow({ order_id: orderId })], 'book')
  const id = await desk.ask({ orderId })
  await desk.pool.query(
    `update ticker.order_changes set created_at = now() - interval '1 day' where id = $1`,
    [id],
  )
  const younger = await desk.ask({ orderId })
  desk.start()
  await desk.ends(id, 'RELEASED')
  expect((await desk.change(id))?.reason_code).toBe('not_shown')
  // What was asked for today stands: the broker is asked, for the order may be there all the same.
  await vi.waitFor(() => expect(desk.broker.changes).toEqual([`DELETE /orders/regular/${orderId}`]), {
    timeout: 5_000,
  })
  expect((await desk.change(younger))?.state).not.toBe('RELEASED')
})

it('a modify in doubt that the book does not show is RELEASED after 90 s, and never sent again', async () => {
  const desk = await setup()
  const { intentId, orderId } = await desk.openOrder()
  desk.broker.answerChange = () => LOST
  const id = await desk.ask({ intentId, orderId }, { price: 1400 })
  await desk.ends(id, 'UNKNOWN')
  const next = await desk.ask({ intentId, orderId }, { price: 1300 })
  await desk.pool.query(
    `update ticker.order_changes set sending_at = now() - interval '91 seconds' where id = $1`,
    [id],
  )
  desk.broker.answerChange = desk.broker.change
  desk.path.wake()
  await desk.ends(id, 'RELEASED')
  await desk.ends(next, 'ACCEPTED')
  expect(desk.broker.changes).toEqual([
    `PUT /orders/regular/${orderId} price=1400`,
    `PUT /orders/regular/${orderId} price=1300`,
  ])
})

it('a modify is refused when its order is being cancelled, or is finished', async () => {
  const desk = await setup({ paused: true })
  const orderId = `end-${names}`
  desk.broker.book.push(brokerRow({ order_id: orderId }))
  const modify = await desk.ask({ orderId }, { price: 1400 })
  const cancel = await desk.ask({ orderId })
  desk.start()
  await desk.ends(cancel, 'DONE')
  await desk.ends(modify, 'REFUSED')
  const late = await desk.ask({ orderId }, { price: 1400 })
  await desk.ends(late, 'REFUSED')
  expect((await desk.change(late))?.reason_code).toBe('order_finished')
  expect(desk.broker.changes).toEqual([`DELETE /orders/regular/${orderId}`])
})

it('goes back to QUEUED on 429 and is sent again; a dead token ends the session', async () => {
  const desk = await setup()
  const { intentId } = await desk.openOrder()
  desk.broker.answerChange = (request) =>
    desk.broker.changes.length === 1
      ? refusal(429, 'NetworkException', 'Too many requests')
      : desk.broker.change(request)
  await desk.ends(await desk.ask({ intentId }), 'DONE')
  expect(desk.broker.changes).toHaveLength(2)
  const other = await desk.openOrder()
  desk.broker.answerChange = () => refusal(403, 'TokenException', 'Incorrect `api_key` or `access_token`.')
  const id = await desk.ask({ intentId: other.intentId })
  await vi.waitFor(() => expect(desk.deadSessions).toHaveLength(1), { timeout: 5_000 })
  await desk.ends(id, 'QUEUED')
})

it('row 25: another process died while sending: a cancel is sent again after the book, a modify is not', async () => {
  const desk = await setup({ paused: true })
  const [cancelled, modified] = [`gone-${names}`, `kept-${names}`]
  desk.broker.book.push(brokerRow({ order_id: cancelled }), brokerRow({ order_id: modified, price: 1500 }))
  const cancel = await desk.ask({ orderId: cancelled })
  const modify = await desk.ask({ orderId: modified }, { price: 1400 })
  await desk.pool.query(
    `update ticker.order_changes set state = 'SENDING', sending_epoch = $2, sending_at = now(), attempts = 1 where id = any($1)`,
    [[cancel, modify], desk.epoch - 1],
  )
  desk.start()
  await desk.ends(cancel, 'DONE')
  await desk.ends(modify, 'UNKNOWN')
  expect(desk.broker.changes).toEqual([`DELETE /orders/regular/${cancelled}`])
})

it('row 25: the database loses the claim of a modify that was written: in doubt, never sent again', async () => {
  const desk = await setup()
  const { intentId, orderId } = await desk.openOrder()
  desk.broker.answerChange = () => LOST
  const id = await desk.ask({ intentId, orderId }, { price: 1400 })
  await desk.ends(id, 'UNKNOWN')
  await desk.pool.query(
    `update ticker.order_changes set state = 'QUEUED', attempts = 0, sending_epoch = null, deadline = now() where id = $1`,
    [id],
  )
  desk.path.wake()
  await desk.ends(id, 'UNKNOWN')
  expect(desk.broker.changes).toHaveLength(1)
})

it('row 25: a claim whose commit was never confirmed is freed, and the cancel is sent once', async () => {
  const desk = await setup({ paused: true })
  const orderId = `free-${names}`
  desk.broker.book.push(brokerRow({ order_id: orderId }))
  const id = await desk.ask({ orderId })
  const changes = createChangeStore(desk.pool)
  const [live] = await changes.live(desk.accountId, 10)
  const sender = { accountId: desk.accountId, instanceId: desk.instanceId, sessionVersion: 1 }
  if (!live) throw new Error('not stored')
  expect(await changes.claim(live, orderId, { ...sender, epoch: desk.epoch - 1 })).toBeUndefined()
  const claim = await changes.claim(live, orderId, { ...sender, epoch: desk.epoch })
  expect(claim).toEqual({ intentId: id, epoch: desk.epoch, attempt: 1 })
  // Decided on what was seen before that: too late.
  expect(await changes.claim(live, orderId, { ...sender, epoch: desk.epoch })).toBeUndefined()
  expect(
    await changes.settle({ ...claim, intentId: id, epoch: desk.epoch, attempt: 2 }, { state: 'ACCEPTED' }),
  ).toBe(false)
  desk.start()
  await desk.ends(id, 'DONE')
  expect(desk.broker.changes).toHaveLength(1)
})

it('row 25: cancelled while the database had lost the claim: in doubt, then found, then cancelled', async () => {
  const desk = await setup()
  let posted: URLSearchParams | undefined
  desk.broker.answer = (form) => {
    posted = form
    return LOST
  }
  const intentId = await desk.place()
  await desk.becomes(intentId, 'UNKNOWN')
  // What the control plane did to the row that the failed-over database showed it.
  await desk.pool.query(
    `update ticker.order_intents set state = 'CANCELLED', attempts = 0, cancel_requested_at = now() where id = $1`,
    [intentId],
  )
  const cancel = newId('chg')
  await desk.pool.query(
    `insert into ticker.order_changes (id, account_id, idempotency_key, request_sha256, kind, intent_id, state, created_by)
     values ($1, $2, $1, 'hash', 'cancel', $3, 'DONE', 'test')`,
    [cancel, desk.accountId, intentId],
  )
  if (posted) desk.broker.arrive(posted)
  desk.path.databaseLost()
  await desk.becomes(intentId, 'ACCEPTED')
  await vi.waitFor(() => expect(desk.broker.changes).toHaveLength(1), { timeout: 5_000 })
  await desk.ends(cancel, 'DONE')
})
