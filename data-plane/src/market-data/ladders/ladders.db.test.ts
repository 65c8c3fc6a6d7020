// Ladders of several instances over one Postgres: who decides, what is stored, what the others and a restart make of it.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { encodePacket } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest'
import { silentLog } from '../../operations/log.ts'
import { type FakeClock, fakeClock } from '../../testing/fake-clock.ts'
import { NIFTY_50, registryOf, steps } from '../../testing/option-chains.ts'
import { readVersions } from '../desired.ts'
import { createTickStore } from '../tick-store.ts'
import { readLadders } from './ladder-store.ts'
import { createLadderBook, FOLLOW_EVERY_MS } from './ladders.ts'
import { SPOT_STALE_AFTER_MS } from './spot.ts'

const EXPIRY = '2031-01-02'
const { directory } = registryOf([{ expiry: EXPIRY, strikes: steps(24_000, 26_000, 50) }])
const eventually = { timeout: 10_000, interval: 20 }

let database: TestDatabase
let clock: FakeClock
let stop: AbortController
let running: Promise<void>[]

beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  clock = fakeClock()
  stop = new AbortController()
  running = []
  await database.pool.query('delete from ticker.strike_ladders')
  await addLadder('NIFTY')
})
afterEach(async () => {
  stop.abort()
  await clock.advance(0)
  await Promise.all(running)
})

const addLadder = (id: string, strikes = 1) =>
  database.pool.query(
    `insert into ticker.strike_ladders (owner, id, revision, underlying, exchange, strikes, expiries, option_types,
       futures, mode, instruments_max, created_by)
     values ('desk', $1, gen_random_uuid(), 'NIFTY', 'NFO', $2, 1, '{CE,PE}', false, 'quote', 100, 'test')
     on conflict (owner, id) do update set strikes = excluded.strikes, revision = excluded.revision`,
    [id, strikes],
  )

/** One data plane's ladders; it streams the index unless told otherwise. */
async function instance({ serves = true } = {}) {
  const store = createTickStore(4)
  const registry = new Registry()
  let changes = 0
  const book = createLadderBook({
    clock,
    log: silentLog,
    registry,
    db: database.pool,
    store,
    serving: (token) => (serves && token === NIFTY_50 ? 'live' : undefined),
    isOpen: () => true,
    isOver: () => false,
    onChanged: () => {
      changes += 1
    },
  })
  const load = async () => book.set(await readLadders(database.pool))
  book.setDirectory(directory)
  await load()
  running.push(book.runFollowing(stop.signal), book.runReporting(stop.signal))
  return {
    load,
    registry,
    changes: () => changes,
    tick(price: number) {
      const packet = Buffer.from(encodePacket({ instrument_token: NIFTY_50, last_price: price }, 'ltp'))
      store.put(NIFTY_50, packet, 0, packet.length, 1, clock.nowMs())
    },
    /** Strikes it wants now. */
    strikes() {
      const wanted = new Set<number>()
      book.each((_owner, token) => wanted.add(directory.byToken(token)?.strike ?? 0))
      wanted.delete(0)
      return [...wanted].sort()
    },
  }
}

/** Follows and reports as time goes by, until it holds. */
const comesTrue = (check: () => Promise<void> | void) =>
  vi.waitFor(async () => {
    await clock.advance(FOLLOW_EVERY_MS)
    await check()
  }, eventually)

const stateOf = async (id = 'NIFTY') =>
  (await database.pool.query('select * from ticker.strike_ladder_states where id = $1', [id])).rows[0]

it('the instance that streams the underlying decides and reports; the others and a restart take it over', async () => {
  const versions = await readVersions(database.pool)
  const follower = await instance()
  const other = await instance({ serves: false })
  expect(other.strikes()).toEqual([])
  follower.tick(25_010)
  await comesTrue(async () => {
    expect(await stateOf()).toMatchObject({
      moves: '1',
      atms: { [EXPIRY]: 25_000 },
      spot: '25010.0000',
      spot_instrument: 'NSE:NIFTY 50',
      reason: null,
    })
  })
  expect(follower.strikes()).toEqual([24_950, 25_000, 25_050])
  expect(follower.changes()).toBe(1)
  expect((await stateOf()).instrument_tokens).toHaveLength(7)
  // The version says that there is something to read.
  expect((await readVersions(database.pool)).ladders).not.toBe(versions.ladders)
  await other.load()
  expect(other.strikes()).toEqual([24_950, 25_000, 25_050])
  expect((await instance()).strikes()).toEqual([24_950, 25_000, 25_050])
})

it('reports the spot every 10 s, and at once why it stands still', async () => {
  const follower = await instance()
  await comesTrue(async () =>
    expect(await stateOf()).toMatchObject({ reason: 'no_spot', moves: '0', spot: null }),
  )
  follower.tick(25_010)
  await comesTrue(async () => expect(await stateOf()).toMatchObject({ reason: null, moves: '1' }))
  const { moved_at } = await stateOf()
  follower.tick(25_012)
  await comesTrue(async () => expect(await stateOf()).toMatchObject({ spot: '25012.0000', moves: '1' }))
  await clock.advance(SPOT_STALE_AFTER_MS)
  await comesTrue(async () => expect(await stateOf()).toMatchObject({ reason: 'spot_stale', moved_at }))
  expect(await follower.registry.metrics()).toContain('ticker_strike_ladders_still{reason="spot_stale"} 1')
})

it('of two that follow, the one that has missed a move is refused and takes over what is stored', async () => {
  const [first, second] = [await instance(), await instance()]
  first.tick(25_000)
  await comesTrue(async () => expect(await stateOf()).toMatchObject({ moves: '1' }))
  second.tick(25_500)
  await comesTrue(async () =>
    expect(await second.registry.metrics()).toMatch(/ladder_reports_total\{outcome="refused"\} [1-9]/),
  )
  expect(await stateOf()).toMatchObject({ moves: '1', atms: { [EXPIRY]: 25_000 } })
  await second.load()
  expect(second.strikes()).toEqual(expect.arrayContaining([24_950, 25_000, 25_050]))
})

it('a report on a rule that was changed or removed meanwhile changes nothing', async () => {
  const follower = await instance()
  await addLadder('NIFTY', 2)
  follower.tick(25_000)
  await comesTrue(async () =>
    expect(await follower.registry.metrics()).toMatch(/ladder_reports_total\{outcome="refused"\} [1-9]/),
  )
  expect(await stateOf()).toBeUndefined()
  await follower.load()
  await comesTrue(async () => expect(await stateOf()).toMatchObject({ moves: '1' }))
  expect(follower.strikes()).toHaveLength(5)
  await database.pool.query('delete from ticker.strike_ladders')
  expect(await stateOf()).toBeUndefined()
  await clock.advance(10 * FOLLOW_EVERY_MS)
  await follower.load()
  expect(follower.strikes()).toEqual([])
})

it('goes on without Postgres, and stores where it stands when Postgres is back', async () => {
  const follower = await instance()
  follower.tick(25_000)
  await comesTrue(async () => expect(await stateOf()).toMatchObject({ moves: '1' }))
  await database.pool.query('alter table ticker.strike_ladder_states rename to away')
  for (const price of [25_100, 25_200]) {
    follower.tick(price)
    await comesTrue(() => expect(follower.strikes()).toContain(price))
  }
  await comesTrue(async () =>
    expect(await follower.registry.metrics()).toMatch(/ladder_reports_total\{outcome="failed"\} [1-9]/),
  )
  await database.pool.query('alter table ticker.away rename to strike_ladder_states')
  await comesTrue(async () =>
    expect(await stateOf()).toMatchObject({ moves: '2', atms: { [EXPIRY]: 25_200 } }),
  )
})
