// Against a real Postgres: many writers, instances that do not know of each other, clients that resume anywhere.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { accountOrderEvent } from '@ticker/shared/domain'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createBatchStore } from '../batches/batch-store.ts'
import { systemClock } from '../clock.ts'
import { createChangeStore } from '../orders/change-store.ts'
import { createIntentStore } from '../orders/intent-store.ts'
import { createOrderStore } from '../orders/order-store.ts'
import { tellingStores } from '../start-order-stream.ts'
import { seedAccount, seedIntent } from '../testing/seed-account.ts'
import { cursorText, parseCursor } from './cursor.ts'
import { createEventReads } from './event-reads.ts'
import { createOrderStreamMetrics } from './metrics.ts'
import { createOrderStream } from './order-stream.ts'

const ACCOUNTS = ['desk1', 'desk2', 'desk3']
const eventually = { timeout: 20_000, interval: 20 }
const [WRITERS, WRITES] = [6, 40]
/** As every part of the system appends: the number and the event in one statement. */
const APPEND = `
  with bumped as (update ticker.accounts set event_seq = event_seq + $2::int where id = $1 returning event_seq - $2::int as base)
  insert into ticker.order_events (account_id, seq, kind, intent_id, order_id, detail)
  select $1, base + n, 'order.updated', null, null, '{}' from bumped, generate_series(1, $2::int) n`

let database: TestDatabase
const stop = new AbortController()
beforeAll(async () => {
  database = await freshDatabase()
  for (const id of ACCOUNTS) await seedAccount(database.pool, id)
})
afterAll(async () => {
  stop.abort()
  await database.drop()
})

function instance() {
  const stream = createOrderStream({
    clock: systemClock,
    reads: createEventReads(database.pool),
    metrics: createOrderStreamMetrics(new Registry()),
  })
  void stream.run(stop.signal, () => {})
  return stream
}

function listen(stream: ReturnType<typeof instance>, after?: string) {
  const seen: { accountId: string; seq: number; id: string }[] = []
  const events: unknown[] = []
  let began: Record<string, number> | undefined
  const reader = {
    owner: 'desk',
    accountIds: null,
    socket: { bufferedBytes: () => 0 },
    say(_: string, json: string, cursor: ReadonlyMap<string, number>) {
      const message = JSON.parse(json)
      if (message.op === 'orders_subscribed') began = message.accounts
      if (message.op !== 'order_event') return
      events.push(message)
      seen.push({ accountId: message.account_id, seq: message.seq, id: cursorText(cursor) })
    },
    refuse() {},
    behind() {},
  }
  stream.subscribe(reader, {
    id: undefined,
    accounts: undefined,
    after: after === undefined ? undefined : parseCursor(after, 10),
  })
  return {
    seen,
    events,
    began: () => began,
    seqs: (accountId: string) => seen.flatMap((each) => (each.accountId === accountId ? [each.seq] : [])),
    stop: () => stream.unsubscribe(reader),
  }
}

const upTo = (last: number, first = 1) =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index)

it('two instances bring what concurrent writers append exactly, and a client goes on anywhere', async () => {
  const [one, two] = [instance(), instance()]
  const beginning = ACCOUNTS.map((id) => `${id}:0`).join()
  const [first, second] = [listen(one, beginning), listen(two, beginning)]
  const late: ReturnType<typeof listen>[] = []
  const write = async (writer: number) => {
    for (let n = 0; n < WRITES; n += 1) {
      const accountId = ACCOUNTS[(writer + n) % ACCOUNTS.length] ?? ''
      await database.pool.query(APPEND, [accountId, 1 + ((writer * n) % 3)])
      if (n % 10 === 5) late.push(listen(n % 20 === 5 ? two : one, first.seen.at(-1)?.id ?? beginning))
      if (n % 7 === 0) one.wake()
    }
  }
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(writer)))
  const { rows } = await database.pool.query<{ id: string; seq: number }>(
    'select id, event_seq::int as seq from ticker.accounts order by id',
  )
  const heads = new Map(rows.map(({ id, seq }) => [id, seq]))
  const total = [...heads.values()].reduce((sum, seq) => sum + seq, 0)
  for (const client of [first, second]) {
    await vi.waitFor(() => expect(client.seen).toHaveLength(total), eventually)
    for (const [id, seq] of heads) expect(client.seqs(id)).toEqual(upTo(seq))
  }
  expect(late.length).toBeGreaterThan(10)
  for (const client of late)
    await vi.waitFor(() => {
      for (const [id, seq] of heads)
        expect(client.seqs(id)).toEqual(upTo(seq, (client.began()?.[id] ?? 0) + 1))
    }, eventually)

  // From every id that was given, on the other instance: what is missing and nothing else.
  const places = upTo(39).map((n) => Math.floor((n * total) / 40))
  for (const place of places) {
    const again = listen(two, first.seen[place - 1]?.id ?? beginning)
    await vi.waitFor(() => expect(again.seen).toHaveLength(total - place), eventually)
    for (const [id, seq] of heads) {
      const before = first.seen.slice(0, place).flatMap((each) => (each.accountId === id ? [each.seq] : []))
      expect([...before, ...again.seqs(id)]).toEqual(upTo(seq))
    }
    again.stop()
  }
})

it('an event shows its order as it is now, with the tag of the caller and not with ours', async () => {
  const client = listen(instance())
  await vi.waitFor(() => expect(client.began()).toBeDefined(), eventually)
  const intentId = await seedIntent(database.pool, 'desk1', { tag: 'OURS123' })
  await database.pool.query(
    `update ticker.order_intents set client_tag = 'theirs', broker_order_id = '77' where id = $1`,
    [intentId],
  )
  await database.pool.query(
    `insert into ticker.orders (account_id, order_id, intent_id, status, status_rank, exchange, tradingsymbol,
       transaction_type, quantity, filled_quantity, average_price, broker_updated_at, broker_order)
     values ('desk1', '77', $1, 'COMPLETE', 9, 'NSE', 'INFY', 'BUY', 1, 1, 1500.05, now(), '{"product":"CNC"}')`,
    [intentId],
  )
  await database.pool.query(
    `with bumped as (update ticker.accounts set event_seq = event_seq + 1 where id = 'desk1' returning event_seq)
     insert into ticker.order_events (account_id, seq, kind, intent_id, detail)
     select 'desk1', event_seq, 'intent.accepted', $1, '{"order_ids":["77"]}' from bumped`,
    [intentId],
  )
  await vi.waitFor(() => expect(client.events).toHaveLength(1), eventually)
  expect(accountOrderEvent.parse(client.events[0])).toMatchObject({
    ...{ kind: 'intent.accepted', intent_id: intentId, tag: 'theirs', state: 'QUEUED' },
    broker_order: { order_id: '77', status: 'COMPLETE', average_price: 1500.05, product: 'CNC', price: null },
  })
  expect(JSON.stringify(client.events)).not.toContain('OURS123')
})

it('the stores of the order desk wake the stream by what they append, and by nothing else', async () => {
  const { pool } = database
  let woken = 0
  const stores = { intents: createIntentStore(pool), changes: createChangeStore(pool) }
  const { intents, orders } = tellingStores(
    { ...stores, orders: createOrderStore(pool), batches: createBatchStore(pool) },
    () => {
      woken += 1
    },
  )
  const id = await seedIntent(pool, 'desk2', { tag: 'WAKES' })
  expect(await intents.due('desk2', 10)).toHaveLength(1)
  expect(await intents.expireOverdue('desk2', () => false)).toEqual([])
  expect(await intents.cancelUnsent('desk2', id)).toBe(false)
  await orders.open('desk2')
  expect(woken).toBe(0)
  expect(await intents.refuse('desk2', id, 'gated', 'closed')).toBe(true)
  expect(woken).toBe(1)
  expect(await intents.refuse('desk2', id, 'gated', 'closed')).toBe(false)
  expect(woken).toBe(1)
})
