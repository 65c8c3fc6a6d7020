// The order path of one account against a real Postgres and a broker that does what each fault row says.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { brokerTime } from '@ticker/shared/domain'
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest'
import { releaseInstance, renewAndObserve } from '../ownership/instance-store.ts'
import { answered, orderPath, refusal, brokerRow as row } from '../testing/order-path.ts'
import { seedChange, seedIntent } from '../testing/seed-account.ts'
import { ENTRIES_PER_DAY_MAX } from './governor.ts'
import { createIntentStore } from './intent-store.ts'

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
function setup(options: Parameters<typeof orderPath>[3] = {}) {
  names += 1
  return orderPath(database.pool, names, running, options)
}

it('sends a due intent once, with its tag, and records the order id and every step as an event', async () => {
  const desk = await setup()
  const id = await desk.place('mytag1234')
  await desk.becomes(id, 'ACCEPTED')
  expect(desk.broker.posts.map((form) => Object.fromEntries(form))).toEqual([
    expect.objectContaining({
      tradingsymbol: 'INFY',
      quantity: '1',
      price: '1500',
      order_type: 'LIMIT',
      tag: 'mytag1234',
    }),
  ])
  const { rows } = await desk.pool.query<{ kind: string; seq: string }>(
    'select kind, seq from ticker.order_events where account_id = $1 order by seq',
    [desk.accountId],
  )
  expect(rows.map((event) => event.kind).slice(0, 2)).toEqual(['intent.sending', 'intent.accepted'])
  expect(rows.map((event) => Number(event.seq))).toEqual(rows.map((_, index) => index + 1))
})

it('row 21: the reply is lost, the order arrived: UNKNOWN, then adopted by its tag; one POST', async () => {
  const desk = await setup()
  desk.broker.answer = (form) => {
    desk.broker.arrive(form)
    return { kind: 'no_answer', reason: 'timeout' }
  }
  const id = await desk.place()
  await desk.becomes(id, 'ACCEPTED')
  expect(desk.broker.posts).toHaveLength(1)
  expect((await desk.intent(id))?.broker_order_id).toBe(`id-1-${desk.accountId}`)
})

it('rows 22 and 23: nothing in the book: UNKNOWN and never sent again; adopted when it appears at last', async () => {
  const desk = await setup()
  let lost: URLSearchParams | undefined
  desk.broker.answer = (form) => {
    lost = form
    return { kind: 'no_answer', reason: 'reset' }
  }
  const id = await desk.place()
  await vi.waitFor(
    async () => {
      const { rows } = await desk.pool.query<{ reads: number }>(
        'select reads from ticker.order_intents where id = $1',
        [id],
      )
      expect(rows[0]?.reads).toBeGreaterThanOrEqual(2)
    },
    { timeout: 10_000 },
  )
  expect((await desk.intent(id))?.state).toBe('UNKNOWN')
  expect(desk.broker.posts).toHaveLength(1)
  expect(await desk.registry.metrics()).toContain(`ticker_orders_unknown{account="${desk.accountId}"} 1`)
  if (lost) desk.broker.arrive(lost)
  await desk.becomes(id, 'ACCEPTED')
  expect(desk.broker.posts).toHaveLength(1)
})

it('a listed refusal is REJECTED with the broker’s words; an unlisted one and a disguised timeout are UNKNOWN', async () => {
  const desk = await setup()
  const texts = [
    'Tick size for this script is 0.10.',
    'Order request timed out. Please check the order book and confirm before placing again.',
  ]
  desk.broker.answer = () => refusal(400, 'OrderException', texts[desk.broker.posts.length - 1] ?? '')
  const first = await desk.place()
  await desk.becomes(first, 'REJECTED')
  expect(await desk.intent(first)).toMatchObject({ reason_code: 'broker_rejected', reason: texts[0] })
  const second = await desk.place()
  await desk.becomes(second, 'UNKNOWN')
  expect(desk.broker.posts).toHaveLength(2)
})

it('row 27: a forbidden egress address closes the gate with the broker’s words, and later orders are refused unsent', async () => {
  const desk = await setup()
  desk.broker.answer = () => refusal(403, 'PermissionException', 'IP 1.2.3.4 is not registered')
  const id = await desk.place()
  await desk.becomes(id, 'REJECTED')
  await vi.waitFor(async () => {
    const { rows } = await desk.pool.query<{ reason: string }>(
      'select order_gate_reason as reason from ticker.accounts where id = $1',
      [desk.accountId],
    )
    expect(rows[0]?.reason).toBe('IP 1.2.3.4 is not registered')
  })
  desk.set({
    ...desk.account,
    observed: { ...desk.account.observed, order_gate_reason: 'IP 1.2.3.4 is not registered' },
  })
  expect(desk.path.unfit()).toBe('its order gate is closed: IP 1.2.3.4 is not registered')
  const next = await desk.place()
  await desk.becomes(next, 'REFUSED')
  expect(desk.broker.posts).toHaveLength(1)
})

it('goes back to QUEUED on 429 and is sent again; on a dead token the session is dead and nothing more is sent', async () => {
  const desk = await setup()
  desk.broker.answer = (form) =>
    desk.broker.posts.length === 1
      ? refusal(429, 'NetworkException', 'Too many requests')
      : desk.broker.accept(form)
  const id = await desk.place()
  await desk.becomes(id, 'ACCEPTED')
  expect(desk.broker.posts).toHaveLength(2)
  desk.broker.answer = () => refusal(403, 'TokenException', 'Incorrect `api_key` or `access_token`.')
  const next = await desk.place()
  await vi.waitFor(() => expect(desk.deadSessions).toHaveLength(1), { timeout: 5_000 })
  await desk.becomes(next, 'QUEUED')
  expect(desk.broker.posts).toHaveLength(3)
})

it('expires what was not sent before its deadline, and keeps an order queued while the broker cannot be reached', async () => {
  const desk = await setup()
  desk.broker.reachable = false
  const id = await desk.place(undefined, 1_500)
  await desk.becomes(id, 'EXPIRED')
  expect(desk.broker.posts).toHaveLength(0)
})

it('row 11: sends nothing once the lease deadline has passed, whatever was claimed', async () => {
  const desk = await setup()
  desk.lease.lost()
  const id = await desk.place(undefined, 2_500)
  await desk.becomes(id, 'EXPIRED')
  expect(desk.broker.posts).toHaveLength(0)
})

it('take-over: an older epoch’s SENDING is UNKNOWN and the book is read and adopted before anything is sent', async () => {
  const desk = await setup({ paused: true })
  const orphan = await seedIntent(desk.pool, desk.accountId, { tag: `orphan${names}` })
  await desk.pool.query(
    `update ticker.order_intents set state = 'SENDING', sending_epoch = $2, sending_at = now(), attempts = 1 where id = $1`,
    [orphan, desk.epoch - 1],
  )
  desk.broker.book.push(row({ order_id: `found-${names}`, tags: ['mktp', `orphan${names}`] }))
  const queued = await desk.place()
  desk.broker.bookOutcome = { ok: false, failure: { kind: 'timeout' } }
  desk.start()
  await desk.becomes(orphan, 'UNKNOWN')
  expect(desk.broker.posts).toHaveLength(0)
  desk.broker.bookOutcome = undefined
  await desk.becomes(queued, 'ACCEPTED')
  expect((await desk.intent(orphan))?.broker_order_id).toBe(`found-${names}`)
  expect(desk.broker.posts).toHaveLength(1)
})

it('a book row of unknown shape hides no other row: its tag adopts, and without a name nothing is sent past it', async () => {
  const desk = await setup({ paused: true })
  const inDoubt = await seedIntent(desk.pool, desk.accountId, { tag: `odd${names}` })
  await desk.pool.query(
    `update ticker.order_intents set state = 'SENDING', sending_epoch = $2, sending_at = now(), attempts = 1 where id = $1`,
    [inDoubt, desk.epoch - 1],
  )
  desk.broker.misshapen = [{ order_id: `odd-${names}`, tags: [`odd${names}`] }]
  desk.broker.book.push(row({ order_id: `plain-${names}` }))
  desk.broker.unreadable = 1
  desk.start()
  await desk.becomes(inDoubt, 'ACCEPTED')
  await vi.waitFor(() => expect(desk.changes).toEqual([`plain-${names}:OPEN`]))
  const queued = await desk.place()
  await vi.waitFor(async () =>
    expect(await desk.registry.metrics()).toMatch(
      /ticker_order_updates_unreadable_total\{source="book"\} [4-9]/,
    ),
  )
  expect((await desk.intent(queued))?.state).toBe('QUEUED')
  expect(desk.broker.posts).toHaveLength(0)
  desk.broker.unreadable = 0
  await desk.becomes(queued, 'ACCEPTED')
})

it('an order that is due goes out before anything that only reads', async () => {
  const desk = await setup()
  await desk.becomes(await desk.place(), 'ACCEPTED')
  let allow = () => {}
  desk.broker.historyAllowed = new Promise<void>((resolve) => {
    allow = resolve
  })
  desk.broker.answer = (form) => {
    allow()
    return desk.broker.accept(form)
  }
  for (let index = 0; index < 20; index += 1)
    await desk.pool.query('insert into ticker.postback_hints (account_id, order_id) values ($1, $2)', [
      desk.accountId,
      `hint-${names}-${index}`,
    ])
  const id = await seedIntent(desk.pool, desk.accountId, { tag: `first${names}` })
  desk.set({ ...desk.account, observed: { ...desk.account.observed, postback_hints: true } })
  desk.path.wake()
  await desk.becomes(id, 'ACCEPTED')
  await vi.waitFor(
    async () =>
      expect(
        (await desk.pool.query('select 1 from ticker.postback_hints where account_id = $1', [desk.accountId]))
          .rowCount,
      ).toBe(0),
    { timeout: 5_000 },
  )
})

it('while the fleet is halted its accounts are, and nothing is claimed', async () => {
  const desk = await setup()
  const fleetIs = (state: string) =>
    desk.pool.query(
      `update ticker.fleet set trading_state = $1, trading_state_reason = 'outage', trading_state_at = now()`,
      [state],
    )
  const seenAs = async () => {
    const seen = await renewAndObserve(desk.pool, desk.instanceId, desk.epoch)
    const observed = seen?.accounts.find((each) => each.account_id === desk.accountId)
    return [observed?.trading_state, observed?.own_trading_state, observed?.trading_state_reason]
  }
  const accountIs = (state: string) =>
    desk.pool.query(
      `update ticker.accounts set trading_state = $2, trading_state_reason = 'lunch', trading_state_at = now() where id = $1`,
      [desk.accountId, state],
    )
  try {
    // The stricter holds, with its reason.
    await accountIs('REDUCING')
    await fleetIs('ACTIVE')
    expect(await seenAs()).toEqual(['REDUCING', 'REDUCING', 'lunch'])
    await fleetIs('HALTED')
    expect(await seenAs()).toEqual(['HALTED', 'REDUCING', 'The whole fleet: outage'])
    await fleetIs('REDUCING')
    await accountIs('HALTED')
    expect(await seenAs()).toEqual(['HALTED', 'HALTED', 'lunch'])
    await accountIs('ACTIVE')
    expect(await seenAs()).toEqual(['REDUCING', 'ACTIVE', 'The whole fleet: outage'])
    await fleetIs('HALTED')
    const seen = await renewAndObserve(desk.pool, desk.instanceId, desk.epoch)
    const observed = seen?.accounts.find((each) => each.account_id === desk.accountId)
    expect(observed?.trading_state).toBe('HALTED')
    if (observed) desk.set({ ...desk.account, observed: { ...observed, due_orders: true } })
    const id = await desk.place(undefined, 1_000)
    await desk.becomes(id, 'EXPIRED')
    expect(desk.broker.posts).toHaveLength(0)
  } finally {
    await desk.pool.query(`update ticker.fleet set trading_state = 'ACTIVE'`)
  }
})

it('orders that others placed count: the broker’s book and our rows, the larger', async () => {
  const desk = await setup({ paused: true })
  for (let index = 0; index < ENTRIES_PER_DAY_MAX; index += 1)
    desk.broker.book.push(
      row({ order_id: `web-${names}-${index}`, status: 'COMPLETE', order_timestamp: brokerTime(Date.now()) }),
    )
  const id = await desk.place()
  desk.start()
  await desk.becomes(id, 'REFUSED')
  expect((await desk.intent(id))?.reason_code).toBe('daily_order_limit')
})

it('yesterday’s orders, still in the book after midnight, are not today’s', async () => {
  const desk = await setup({ paused: true })
  const order_timestamp = brokerTime(Date.now() - 86_400_000)
  for (let index = 0; index < ENTRIES_PER_DAY_MAX; index += 1)
    desk.broker.book.push(row({ order_id: `web-${names}-${index}`, status: 'COMPLETE', order_timestamp }))
  const id = await desk.place()
  desk.start()
  await desk.becomes(id, 'ACCEPTED')
})

it('an accepted order that the first read of the book does not show is followed until it is seen', async () => {
  const desk = await setup()
  let late: URLSearchParams | undefined
  desk.broker.answer = (form) => {
    late = form
    return answered(200, { status: 'success', data: { order_id: `id-1-${desk.accountId}` } })
  }
  const id = await desk.place()
  await desk.becomes(id, 'ACCEPTED')
  const unseen = async () =>
    (await desk.registry.metrics()).includes(`ticker_orders_accepted_unseen{account="${desk.accountId}"} 1`)
  await vi.waitFor(async () => expect(await unseen()).toBe(true), { timeout: 10_000, interval: 25 })
  if (late) desk.broker.arrive(late)
  await vi.waitFor(() => expect(desk.changes).toEqual([`id-1-${desk.accountId}:OPEN`]), {
    timeout: 20_000,
    interval: 25,
  })
  expect(await unseen()).toBe(false)
})

it('a gate that a person has opened refuses nothing, whatever was last seen', async () => {
  const desk = await setup({ paused: true })
  const closed = { ...desk.account.observed, order_gate_reason: 'IP not allowed' }
  desk.set({ ...desk.account, observed: closed })
  const id = await desk.place()
  const intents = createIntentStore(desk.pool)
  expect(await intents.refuseIfGated(desk.accountId, id)).toBe(false)
  desk.start()
  desk.set(desk.account)
  await desk.becomes(id, 'ACCEPTED')
})

it('an account that is no longer for trading sends nothing of its queue, and says so', async () => {
  const desk = await setup({ paused: true })
  const id = await desk.place()
  await desk.pool.query('update ticker.accounts set trading = false where id = $1', [desk.accountId])
  // What this instance saw last is older: the claim reads the row.
  desk.start()
  await desk.becomes(id, 'QUEUED')
  desk.set({ ...desk.account, observed: { ...desk.account.observed, trading: false } })
  await desk.becomes(id, 'REFUSED')
  const { rows } = await desk.pool.query('select reason_code from ticker.order_intents where id = $1', [id])
  expect(rows).toEqual([{ reason_code: 'trading_not_enabled' }])
  expect(desk.broker.posts).toHaveLength(0)
})

it('half a surrogate pair in the broker’s words costs nobody anything', async () => {
  const desk = await setup()
  desk.broker.answer = () => refusal(400, 'MarginException', 'Insufficient funds \ud800')
  await desk.becomes(await desk.place(), 'REJECTED')
})

it('a history nobody can read costs its own postback, not the others', async () => {
  const desk = await setup()
  await desk.becomes(await desk.place(), 'ACCEPTED')
  for (const order of ['bad', 'good'])
    await desk.pool.query(`insert into ticker.postback_hints (account_id, order_id) values ($1, $2)`, [
      desk.accountId,
      order,
    ])
  desk.broker.unreadableHistory = 'bad'
  desk.broker.history.set('good', [row({ order_id: 'good' })])
  desk.set({ ...desk.account, observed: { ...desk.account.observed, postback_hints: true } })
  desk.path.wake()
  await vi.waitFor(() => expect(desk.changes).toContain('good:OPEN'), { timeout: 10_000, interval: 25 })
})

it('a postback’s read that meets a dead token marks that session version, and leaves the hint for the next', async () => {
  const desk = await setup()
  await desk.becomes(await desk.place(), 'ACCEPTED')
  await desk.pool.query(`insert into ticker.postback_hints (account_id, order_id) values ($1, 'late')`, [
    desk.accountId,
  ])
  desk.broker.deadFor = 'late'
  desk.set({ ...desk.account, observed: { ...desk.account.observed, postback_hints: true } })
  desk.path.wake()
  await vi.waitFor(() => expect(desk.deadSessions).toContain(desk.account.session?.version), {
    timeout: 10_000,
    interval: 25,
  })
  const { rows } = await desk.pool.query('select order_id from ticker.postback_hints where account_id = $1', [
    desk.accountId,
  ])
  expect(rows).toEqual([{ order_id: 'late' }])
})

it('a stale epoch can neither claim nor settle', async () => {
  const desk = await setup({ paused: true })
  const intents = createIntentStore(desk.pool)
  const id = await seedIntent(desk.pool, desk.accountId, { tag: `stale${names}` })
  const sender = { accountId: desk.accountId, instanceId: desk.instanceId, sessionVersion: 1 }
  expect(await intents.claim(id, { ...sender, epoch: desk.epoch - 1 })).toBeUndefined()
  const claim = await intents.claim(id, { ...sender, epoch: desk.epoch })
  expect(claim).toEqual({ intentId: id, epoch: desk.epoch, attempt: 1 })
  expect(await intents.claim(id, { ...sender, epoch: desk.epoch })).toBeUndefined()
  if (!claim) return
  const rejected = { state: 'REJECTED', code: 'broker_rejected', reason: 'x' } as const
  expect(await intents.settle({ ...claim, epoch: desk.epoch - 1 }, rejected)).toBe(false)
  expect(await intents.settle({ ...claim, attempt: 2 }, rejected)).toBe(false)
  expect(
    await intents.settle({ ...claim, epoch: desk.epoch - 1 }, { state: 'ACCEPTED', orderIds: ['e1'] }),
  ).toBe(true)
  expect(await intents.settle(claim, rejected)).toBe(false)
})

it('row 28: updates duplicated and reordered change nothing twice; an end is never undone; external orders are adopted', async () => {
  const desk = await setup()
  const at = (second: number) => `2026-11-23 09:16:0${second}`
  const updates = [
    row({
      order_id: `web-${names}`,
      status: 'OPEN',
      exchange_update_timestamp: at(1),
      order_timestamp: at(1),
    }),
    row({
      order_id: `web-${names}`,
      status: 'COMPLETE',
      filled_quantity: 1,
      average_price: 1499.5,
      exchange_update_timestamp: at(2),
      order_timestamp: at(2),
    }),
  ]
  desk.path.orderUpdate({ nonsense: true })
  for (const update of [updates[1], updates[0], updates[1], updates[0]]) desk.path.orderUpdate(update)
  await vi.waitFor(() => expect(desk.changes).toEqual([`web-${names}:COMPLETE`]))
  const hinted = row({ order_id: `web2-${names}`, status: 'OPEN' })
  desk.broker.history.set(`web2-${names}`, [
    hinted,
    row({
      order_id: `web2-${names}`,
      status: 'CANCELLED',
      exchange_update_timestamp: at(3),
      order_timestamp: at(3),
    }),
  ])
  await desk.pool.query('insert into ticker.postback_hints (account_id, order_id) values ($1, $2)', [
    desk.accountId,
    `web2-${names}`,
  ])
  desk.set({ ...desk.account, observed: { ...desk.account.observed, postback_hints: true } })
  desk.path.wake()
  await vi.waitFor(() => expect(desk.changes).toEqual([`web-${names}:COMPLETE`, `web2-${names}:CANCELLED`]))
  const { rows } = await desk.pool.query(
    'select status, intent_id, average_price from ticker.orders where account_id = $1 order by order_id',
    [desk.accountId],
  )
  expect(rows).toEqual(
    [
      { status: 'COMPLETE', intent_id: null, average_price: '1499.5000' },
      { status: 'CANCELLED', intent_id: null, average_price: '0.0000' },
    ].sort((a, b) => (a.status < b.status ? 1 : -1)),
  )
  await vi.waitFor(async () =>
    expect(
      (await desk.pool.query('select 1 from ticker.postback_hints where account_id = $1', [desk.accountId]))
        .rowCount,
    ).toBe(0),
  )
})

it('row 26: never writes more than the broker’s 10 in a second, and loses none of a burst', async () => {
  const desk = await setup()
  const times: number[] = []
  desk.broker.answer = (form) => {
    times.push(performance.now())
    return desk.broker.accept(form)
  }
  const ids = await Promise.all(Array.from({ length: 20 }, () => desk.place()))
  for (const id of ids) await desk.becomes(id, 'ACCEPTED')
  expect(times).toHaveLength(20)
  for (const at of times)
    expect(times.filter((other) => other > at - 1000 && other <= at).length).toBeLessThanOrEqual(10)
  await desk.path.drained(1_000)
})

it('row 26: 25 orders at once and a hand-over in the middle: never more than 10 in a second, none lost, none twice', async () => {
  const first = await setup()
  const times: number[] = []
  first.broker.answer = (form) => {
    times.push(performance.now())
    return first.broker.accept(form)
  }
  const ids = await Promise.all(Array.from({ length: 25 }, () => first.place()))
  await vi.waitFor(() => expect(first.broker.posts.length).toBeGreaterThan(4), {
    timeout: 10_000,
    interval: 5,
  })
  // As a process that is told to stop does it.
  for (const stop of running.splice(0)) await stop()
  await first.path.drained(5_000)
  first.lease.lost()
  await releaseInstance(first.pool, first.instanceId, first.epoch)
  const sentByFirst = first.broker.posts.length
  const second = await setup({ from: first })
  for (const id of ids) await second.becomes(id, 'ACCEPTED')
  expect(sentByFirst).toBeLessThan(25)
  expect(new Set(first.broker.posts.map((form) => form.get('tag'))).size).toBe(25)
  expect(first.broker.posts).toHaveLength(25)
  for (const at of times)
    expect(times.filter((other) => other > at - 1000 && other <= at).length).toBeLessThanOrEqual(10)
})

it('frees a claim whose commit was never confirmed, and sends the order once', async () => {
  const desk = await setup({ paused: true })
  const id = await seedIntent(desk.pool, desk.accountId, { tag: `lostclaim${names}` })
  // The claim committed, its reply was lost, and nothing was written.
  await createIntentStore(desk.pool).claim(id, {
    accountId: desk.accountId,
    instanceId: desk.instanceId,
    epoch: desk.epoch,
    sessionVersion: 1,
  })
  desk.start()
  await desk.becomes(id, 'ACCEPTED')
  expect(desk.broker.posts).toHaveLength(1)
})

it('an answer that comes after a new epoch put the order in doubt still settles it', async () => {
  const desk = await setup({ paused: true })
  const intents = createIntentStore(desk.pool)
  const id = await seedIntent(desk.pool, desk.accountId, { tag: `late${names}` })
  const claim = await intents.claim(id, {
    accountId: desk.accountId,
    instanceId: desk.instanceId,
    epoch: desk.epoch,
    sessionVersion: 1,
  })
  expect(await intents.orphansToUnknown(desk.accountId, desk.epoch + 1)).toEqual([id])
  if (!claim) throw new Error('not claimed')
  const rejected = { state: 'REJECTED', code: 'broker_rejected', reason: 'x' } as const
  expect(await intents.settle({ ...claim, attempt: 2 }, rejected)).toBe(false)
  expect(await intents.settle(claim, rejected)).toBe(true)
  expect((await desk.intent(id))?.state).toBe('REJECTED')
})

it('row 25: the database loses the last commits after the order was taken: adopted or in doubt, never sent again', async () => {
  const desk = await setup()
  const forget = (id: string, state: string, isOverdue: boolean) =>
    desk.pool.query(
      `with gone as (delete from ticker.intent_orders where intent_id = $1), o as (delete from ticker.orders where intent_id = $1)
       update ticker.order_intents set state = $2, attempts = case when $2 = 'QUEUED' then 0 else attempts end, broker_order_id = null,
         deadline = case when $3 then now() else deadline end where id = $1`,
      [id, state, isOverdue],
    )
  const lost = [
    ['QUEUED', false],
    ['SENDING', false],
    ['QUEUED', true],
  ] as const
  for (const [state, isOverdue] of lost) {
    const id = await desk.place()
    await desk.becomes(id, 'ACCEPTED')
    const posts = desk.broker.posts.length
    // Not in the book either, for now: the rows alone decide.
    const book = desk.broker.book.splice(0)
    await forget(id, state, isOverdue)
    desk.path.wake()
    await desk.becomes(id, 'UNKNOWN')
    expect(desk.broker.posts).toHaveLength(posts)
    desk.broker.book.push(...book)
    await desk.becomes(id, 'ACCEPTED')
    expect(desk.broker.posts).toHaveLength(posts)
  }
})

it('row 25: another process finds a QUEUED row whose order the broker already has: adopted before anything is sent', async () => {
  const desk = await setup({ paused: true })
  const id = await seedIntent(desk.pool, desk.accountId, { tag: `lostcommit${names}` })
  desk.broker.book.push(row({ order_id: `had-${names}`, tag: `lostcommit${names}` }))
  desk.start()
  await desk.becomes(id, 'ACCEPTED')
  expect(desk.broker.posts).toHaveLength(0)
})

it('after the database was away, nothing is sent before the book was read again', async () => {
  const desk = await setup()
  await desk.becomes(await desk.place(), 'ACCEPTED')
  const tag = `away${names}`
  desk.broker.bookOutcome = { ok: false, failure: { kind: 'timeout' } }
  desk.path.databaseLost()
  const id = await desk.place(tag)
  await vi.waitFor(
    async () =>
      expect(await desk.registry.metrics()).toContain('ticker_order_book_reads_total{outcome="timeout"}'),
    { timeout: 5_000 },
  )
  await desk.becomes(id, 'QUEUED')
  expect(desk.broker.posts).toHaveLength(1)
  desk.broker.bookOutcome = undefined
  await desk.becomes(id, 'ACCEPTED')
})

it('the database is away while an order is on its way: it is not written before the book was read again', async () => {
  const desk = await setup()
  await desk.becomes(await desk.place(), 'ACCEPTED')
  const timeouts = 'ticker_order_book_reads_total{outcome="timeout"}'
  desk.broker.onConnect = () => {
    desk.broker.onConnect = () => {}
    desk.broker.bookOutcome = { ok: false, failure: { kind: 'timeout' } }
    desk.path.databaseLost()
  }
  const id = await desk.place()
  await vi.waitFor(async () => expect(await desk.registry.metrics()).toContain(timeouts), { timeout: 5_000 })
  await desk.becomes(id, 'QUEUED')
  expect(desk.broker.posts).toHaveLength(1)
  desk.broker.bookOutcome = undefined
  await desk.becomes(id, 'ACCEPTED')
  expect(desk.broker.posts).toHaveLength(2)
})

it('within one second, the book read later corrects what the socket said: modified, then open again', async () => {
  const desk = await setup()
  const same = {
    order_id: `mod-${names}`,
    order_timestamp: '2026-11-23 09:20:01',
    exchange_update_timestamp: '2026-11-23 09:20:01',
  }
  desk.path.orderUpdate(row({ ...same, status: 'MODIFY PENDING' }))
  await vi.waitFor(() => expect(desk.changes).toEqual([`mod-${names}:MODIFY PENDING`]))
  desk.broker.book.push(row({ ...same, status: 'OPEN', quantity: 50 }))
  desk.path.updatesLost()
  await vi.waitFor(() => expect(desk.changes.at(-1)).toBe(`mod-${names}:OPEN`), { timeout: 5_000 })
})

it('a disabled account sends nothing, and what it has open is still settled', async () => {
  const desk = await setup()
  desk.broker.answer = (form) => {
    desk.broker.arrive(form)
    desk.set({ ...desk.account, observed: { ...desk.account.observed, active: false } })
    return { kind: 'no_answer', reason: 'timeout' }
  }
  const inDoubt = await desk.place()
  await desk.becomes(inDoubt, 'ACCEPTED')
  const queued = await desk.place(undefined, 500)
  await desk.becomes(queued, 'EXPIRED')
  expect(desk.broker.posts).toHaveLength(1)
  await desk.pool.query(`update ticker.accounts set status = 'disabled' where id = $1`, [desk.accountId])
  await seedIntent(desk.pool, desk.accountId, { tag: `left${names}` })
  // Accounts of earlier tests, whose leases ran out, may be this instance's by now as well.
  const seen = async () =>
    (await renewAndObserve(desk.pool, desk.instanceId, desk.epoch))?.accounts.filter(
      (each) => each.account_id === desk.accountId,
    )
  expect(await seen()).toMatchObject([{ account_id: desk.accountId, active: false }])
  await desk.pool.query(`update ticker.order_intents set state = 'EXPIRED' where account_id = $1`, [
    desk.accountId,
  ])
  expect(await seen()).toEqual([])
  await seedChange(desk.pool, desk.accountId, { orderId: `left${names}` }, { price: 1 })
  expect(await seen()).toHaveLength(1)
})
