// The order stream over a log in memory, by a clock that is turned by hand.
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { fakeOrders } from '../testing/fake-orders.ts'
import { ORDER_STREAM_BOUNDS, type OrderStreamBounds } from './bounds.ts'
import { cursorText } from './cursor.ts'
import type { OrderReader, OrderWish } from './order-stream.ts'

type Said = { op: string; account_id?: string; seq?: number; [field: string]: unknown }

let stop = new AbortController()
afterEach(() => stop.abort())

function start(bounds: Partial<OrderStreamBounds> = {}) {
  stop = new AbortController()
  const clock = fakeClock()
  const orders = fakeOrders(clock, bounds)
  void run(clock, orders)
  return { clock, orders, ...orders }
}

/** As the supervisor does. */
async function run(clock: FakeClock, { stream }: ReturnType<typeof fakeOrders>) {
  const { signal } = stop
  while (!signal.aborted) await stream.run(signal, () => {}).catch(() => clock.sleep(1_000, signal))
}

function reader(owner = 'desk', accountIds: ReadonlySet<string> | null = null) {
  const said: Said[] = []
  const told = {
    said,
    ids: [] as string[],
    buffered: 0,
    closed: false,
    refusals: [] as string[],
    seqs: (accountId: string) =>
      said.flatMap((each) => (each.op === 'order_event' && each.account_id === accountId ? [each.seq] : [])),
    ops: () => said.map(({ op }) => op),
  }
  const self: OrderReader = {
    owner,
    accountIds,
    socket: { bufferedBytes: () => told.buffered },
    say(_, json, cursor) {
      said.push(JSON.parse(json))
      told.ids.push(cursorText(cursor))
    },
    refuse: (_, message) => told.refusals.push(message),
    behind() {
      told.closed = true
    },
  }
  return { ...told, told, self }
}

const upTo = (last: number, first = 1) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)
const wish = (more: Partial<OrderWish> = {}): OrderWish => ({
  id: undefined,
  accounts: undefined,
  after: undefined,
  ...more,
})

describe('the order stream', () => {
  it('brings every event after a cursor once and in order, then those that happen, whatever the page', async () => {
    const { clock, stream, account, happen } = start({ eventsPerPageMax: 7 })
    account('desk1')
    account('desk2')
    happen('desk1', 50)
    happen('desk2', 3)
    const late = reader()
    stream.subscribe(late.self, wish({ id: 1, after: new Map([['desk1', 20]]) }))
    await clock.advance(1_000)
    expect(late.said[0]).toEqual({
      op: 'orders_subscribed',
      id: 1,
      accounts: { desk1: 20, desk2: 0 },
      unknown: [],
    })
    happen('desk1', 5)
    stream.wake()
    await clock.advance(100)
    expect(late.seqs('desk1')).toEqual(upTo(55, 21))
    expect(late.seqs('desk2')).toEqual([1, 2, 3])
  })

  it('begins now without a cursor, and at once brings what it is woken for', async () => {
    const { clock, stream, account, happen, asked } = start()
    account('desk1')
    happen('desk1', 9)
    const [one, two] = [reader(), reader()]
    for (const { self } of [one, two]) stream.subscribe(self, wish())
    await clock.advance(100)
    expect(one.said).toEqual([{ op: 'orders_subscribed', accounts: { desk1: 9 }, unknown: [] }])
    asked.pages = []
    happen('desk1')
    stream.wake()
    await clock.advance(ORDER_STREAM_BOUNDS.pauseMs)
    expect([one.seqs('desk1'), two.seqs('desk1')]).toEqual([[10], [10]])
    // One read for both.
    expect(asked.pages).toEqual([{ accountId: 'desk1', after: 9 }])
    // What others write is found by looking.
    happen('desk1')
    await clock.advance(ORDER_STREAM_BOUNDS.lookEveryMs + ORDER_STREAM_BOUNDS.pauseMs)
    expect(one.seqs('desk1')).toEqual([10, 11])
  })

  it('resumes at every id that it ever gave, over several accounts, exactly', async () => {
    const { clock, stream, account, happen } = start({ eventsPerPageMax: 2 })
    account('desk1')
    const first = reader()
    stream.subscribe(first.self, wish())
    await clock.advance(100)
    happen('desk1', 3)
    account('desk2')
    happen('desk2', 2)
    stream.wake()
    await clock.advance(1_000)
    happen('desk1', 3)
    stream.wake()
    await clock.advance(1_000)
    expect([first.seqs('desk1'), first.seqs('desk2')]).toEqual([upTo(6), upTo(2)])
    for (const [place, id] of first.ids.entries()) {
      const again = reader()
      const after = new Map(
        id.split(',').map((part) => [part.split(':')[0] ?? '', Number(part.split(':')[1])]),
      )
      stream.subscribe(again.self, wish({ after }))
      await clock.advance(1_000)
      const before = first.said.slice(0, place + 1)
      const seqs = (accountId: string) => [
        ...before.flatMap((each) => (each.account_id === accountId ? [each.seq] : [])),
        ...again.seqs(accountId),
      ]
      expect([id, seqs('desk1'), seqs('desk2')]).toEqual([id, upTo(6), upTo(2)])
      stream.unsubscribe(again.self)
    }
  })

  it('shows only the accounts of the owner, of the key and of the wish, and names the others unknown', async () => {
    const { clock, stream, account, happen } = start()
    for (const id of ['desk1', 'desk2', 'desk3']) account(id)
    account('foreign', 'other')
    const keyed = reader('desk', new Set(['desk1', 'desk2', 'foreign']))
    stream.subscribe(
      keyed.self,
      wish({ accounts: ['desk1', 'desk3', 'foreign'], after: new Map([['gone', 4]]) }),
    )
    await clock.advance(100)
    for (const id of ['desk1', 'desk2', 'desk3', 'foreign']) happen(id)
    await clock.advance(1_000)
    expect(keyed.said[0]).toMatchObject({ accounts: { desk1: 0 }, unknown: ['desk3', 'foreign', 'gone'] })
    expect(keyed.said.slice(1).map(({ account_id }) => account_id)).toEqual(['desk1'])
  })

  it('tells of what is not there: events not kept, a log that ends before the cursor', async () => {
    const { clock, stream, account, accounts, happen } = start()
    account('desk1')
    happen('desk1', 10)
    const log = accounts.get('desk1')
    log?.events.splice(0, 4)
    log?.events.splice(2, 2)
    const old = reader()
    stream.subscribe(old.self, wish({ after: new Map([['desk1', 1]]) }))
    const ahead = reader()
    stream.subscribe(ahead.self, wish({ after: new Map([['desk1', 14]]) }))
    await clock.advance(100)
    expect(old.seqs('desk1')).toEqual([5, 6, 9, 10])
    expect(old.said.filter(({ op }) => op === 'orders_gap')).toEqual([
      { op: 'orders_gap', account_id: 'desk1', from_seq: 2, to_seq: 4, reason: 'not_kept' },
      { op: 'orders_gap', account_id: 'desk1', from_seq: 7, to_seq: 8, reason: 'not_kept' },
    ])
    expect(ahead.said.slice(1)).toEqual([
      { op: 'orders_gap', account_id: 'desk1', from_seq: 11, to_seq: 14, reason: 'ahead_of_log' },
    ])
    log?.events.splice(0)
    const nothing = reader()
    stream.subscribe(nothing.self, wish({ after: new Map([['desk1', 3]]) }))
    await clock.advance(1_000)
    expect(nothing.said.slice(1)).toEqual([
      { op: 'orders_gap', account_id: 'desk1', from_seq: 4, to_seq: 10, reason: 'not_kept' },
    ])
    // A database that was restored while clients listen.
    if (log) log.seq = 8
    await clock.advance(1_000)
    expect(old.said.at(-1)).toMatchObject({
      op: 'orders_gap',
      from_seq: 9,
      to_seq: 10,
      reason: 'ahead_of_log',
    })
    happen('desk1')
    await clock.advance(1_000)
    expect(old.said.at(-1)).toMatchObject({ op: 'order_event', seq: 9 })
  })

  it.each([
    ['refuses', () => Promise.reject(new Error('away'))],
    ['stands still', () => new Promise<void>(() => {})],
  ])('says when Postgres %s, and loses nothing over it', async (_, how) => {
    const { clock, orders, stream, account, happen } = start()
    account('desk1')
    const client = reader()
    stream.subscribe(client.self, wish())
    await clock.advance(100)
    let fail: (error: Error) => void = () => {}
    orders.goAway(() => Promise.race([how(), new Promise<void>((_, reject) => (fail = reject))]))
    await clock.advance(4_000)
    expect(client.said.slice(1)).toEqual([{ op: 'orders_state', state: 'stale' }])
    const meanwhile = reader()
    stream.subscribe(meanwhile.self, wish())
    expect(meanwhile.said).toEqual([{ op: 'orders_state', state: 'stale' }])
    happen('desk1', 3)
    orders.goAway(undefined)
    fail(new Error('the statement timed out'))
    await clock.advance(10_000)
    expect(client.seqs('desk1')).toEqual([1, 2, 3])
    expect(client.said.filter(({ op }) => op === 'orders_state').map(({ state }) => state)).toEqual([
      'stale',
      'live',
    ])
    expect(meanwhile.ops()).toEqual(['orders_state', 'orders_subscribed', 'orders_state'])
  })

  it('does not read for a client that does not, closes it after a while, and goes on if it reads again', async () => {
    const { clock, orders, stream, account, happen } = start({ eventsPerPageMax: 2 })
    account('desk1')
    const [slow, stuck, well] = [reader(), reader(), reader()]
    for (const { self } of [slow, stuck, well]) stream.subscribe(self, wish())
    await clock.advance(100)
    slow.told.buffered = stuck.told.buffered = ORDER_STREAM_BOUNDS.pauseAboveBytes + 1
    happen('desk1', 5)
    await clock.advance(20_000)
    expect([slow.seqs('desk1'), stuck.seqs('desk1'), well.seqs('desk1')]).toEqual([[], [], upTo(5)])
    slow.told.buffered = 0
    await clock.advance(12_000)
    expect(slow.seqs('desk1')).toEqual(upTo(5))
    expect([slow.told.closed, stuck.told.closed]).toEqual([false, true])
    expect(await orders.registry.getSingleMetricAsString('ticker_order_stream_behind_total')).toContain(' 1')
    expect(await orders.registry.getSingleMetricAsString('ticker_order_stream_clients')).toContain(' 2')
  })

  it('takes accounts that are new and ends those that go, each with all that happened', async () => {
    const { clock, stream, account, accounts, happen } = start({ eventsPerPageMax: 1 })
    account('desk1')
    const all = reader()
    const one = reader()
    stream.subscribe(all.self, wish())
    stream.subscribe(one.self, wish({ accounts: ['desk1'] }))
    await clock.advance(100)
    account('desk2')
    happen('desk2', 2)
    await clock.advance(1_000)
    expect([all.seqs('desk2'), one.seqs('desk2')]).toEqual([[1, 2], []])
    happen('desk2', 3)
    const going = accounts.get('desk2')
    if (going) going.deleted = true
    await clock.advance(1_000)
    expect(all.seqs('desk2')).toEqual(upTo(5))
    expect(all.said.at(-1)).toEqual({ op: 'orders_ended', account_id: 'desk2', seq: 5 })
    accounts.delete('desk1')
    await clock.advance(1_000)
    expect(one.said.at(-1)).toEqual({ op: 'orders_ended', account_id: 'desk1', seq: 0 })
  })

  it('refuses a second wish, and more accounts than fit, of one client and of all', async () => {
    const { clock, stream, account } = start({ accountsPerClientMax: 2, cursorsMax: 3 })
    account('desk1')
    account('desk2')
    const [one, two, three] = [reader(), reader(), reader()]
    expect([stream.subscribe(one.self, wish()), stream.subscribe(one.self, wish())]).toEqual([true, false])
    await clock.advance(100)
    stream.subscribe(two.self, wish())
    stream.subscribe(three.self, wish({ accounts: ['desk1'] }))
    await clock.advance(1_000)
    expect(two.told.refusals).toEqual([expect.stringContaining('All connections')])
    expect(three.ops()).toEqual(['orders_subscribed'])
    account('desk3')
    await clock.advance(1_000)
    expect(one.told.refusals).toEqual([expect.stringContaining('2 accounts')])
    expect([stream.unsubscribe(one.self), stream.unsubscribe(three.self)]).toEqual([false, true])
  })

  it('lets nobody wait for an account that has always more', async () => {
    const { clock, stream, account, happen } = start({ eventsPerPageMax: 1, pagesPerPassMax: 1 })
    account('busy')
    account('quiet')
    happen('busy', 1_000)
    happen('quiet')
    const client = reader()
    stream.subscribe(client.self, wish({ after: new Map() }))
    await clock.advance(5 * ORDER_STREAM_BOUNDS.pauseMs)
    expect(client.seqs('quiet')).toEqual([1])
    expect(client.seqs('busy').length).toBeLessThan(10)
  })

  it('asks nothing while nobody listens', async () => {
    const { clock, stream, account, asked } = start()
    account('desk1')
    await clock.advance(10_000)
    const client = reader()
    stream.subscribe(client.self, wish())
    await clock.advance(100)
    stream.unsubscribe(client.self)
    const before = asked.heads
    await clock.advance(10_000)
    expect([before > 0, asked.heads]).toEqual([true, before])
  })

  it('is exact for any clients, cursors, stalls and bursts, and leaves nobody waiting', async () => {
    const step = fc.oneof(
      fc.record({
        what: fc.constant('happen' as const),
        account: fc.nat(3),
        count: fc.integer({ min: 1, max: 9 }),
      }),
      fc.record({ what: fc.constant('join' as const), after: fc.nat(12) }),
      fc.record({ what: fc.constant('stall' as const), client: fc.nat(9), stalls: fc.boolean() }),
      fc.record({ what: fc.constant('leave' as const), client: fc.nat(9) }),
      fc.record({ what: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 700 }) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { clock, stream, accounts, account, happen } = start({
          eventsPerPageMax: 3,
          pagesPerPassMax: 2,
        })
        const ids = ['a', 'b', 'c', 'd']
        for (const id of ids) account(id)
        const clients: { begins: Map<string, number>; client: ReturnType<typeof reader>; left: boolean }[] =
          []
        for (const each of steps) {
          const target = 'client' in each ? clients[each.client] : undefined
          if (each.what === 'happen') happen(ids[each.account] ?? '', each.count)
          else if (each.what === 'join') {
            const seqOf = (id: string) => Math.min(each.after, accounts.get(id)?.seq ?? 0)
            const begins = new Map(ids.map((id) => [id, seqOf(id)]))
            const client = reader()
            clients.push({ begins, client, left: false })
            stream.subscribe(client.self, wish({ after: begins }))
          } else if (each.what === 'stall' && target)
            target.client.told.buffered = each.stalls ? Number.MAX_SAFE_INTEGER : 0
          else if (each.what === 'leave' && target) {
            stream.unsubscribe(target.client.self)
            target.left = true
          } else if (each.what === 'wait') await clock.advance(each.ms)
        }
        for (const { client } of clients) client.told.buffered = 0
        await clock.advance(5_000)
        for (const { begins, client, left } of clients)
          for (const id of ids) {
            const seqs = client.seqs(id)
            const begun = (begins.get(id) ?? 0) + 1
            const last = left ? begun + seqs.length - 1 : (accounts.get(id)?.seq ?? 0)
            expect(seqs).toEqual(upTo(last, begun))
          }
        stop.abort()
      }),
      { numRuns: 150 },
    )
  })
})
