import type { Mode } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Target } from '../../kite-socket/subscription-frames.ts'
import { type FakeClock, fakeClock } from '../../testing/fake-clock.ts'
import { ownedAccount } from '../../testing/owned-accounts.ts'
import { createInterestBook, type Holder, type InterestBook, type ServedChange } from './client-interest.ts'
import type { Held } from './held.ts'

const [A, B, C] = [257, 513, 769]
const RELEASED_MS = 31_100
let clock: FakeClock
let registry: Registry
let book: InterestBook
let base: Map<string, Target>
let targets: ReadonlyMap<string, Target>
let served: ServedChange[]
let passes: number
let told: number
let stop: AbortController
let running: Promise<void>

function setUp(max = 100) {
  clock = fakeClock()
  registry = new Registry()
  base = new Map()
  targets = new Map()
  served = []
  passes = 0
  told = 0
  book = createInterestBook({
    clock,
    registry,
    newestSeq: () => 7,
    isKnown: () => true,
    max,
    reapply() {
      passes += 1
      const placed = book.place(base, [])
      targets = placed.targets
      served.push(...placed.served)
      book.tell()
    },
  })
  book.onMoved(() => {
    told += 1
  })
  stop = new AbortController()
  running = book.run(stop.signal)
}

async function end() {
  stop.abort()
  await clock.advance(0)
  await running
}

beforeEach(() => {
  setUp()
  book.setOwned([ownedAccount('a'), ownedAccount('x', { owner: 'other' })])
})
afterEach(end)

const who = (changes: Partial<Holder> = {}): Holder => ({
  ...{ owner: 'desk', keyId: 'key', accountId: null, instrumentsMax: 100 },
  ...changes,
})
function hold(token: number, mode: Mode = 'quote', holder = who()): Held {
  const held = book.hold(holder, token, mode)
  if (typeof held === 'string') throw new Error(held)
  return held
}
const metric = async (name: string) =>
  (await registry.metrics()).split('\n').find((line) => line.startsWith(name))

describe('the interest of clients', () => {
  it('subscribes, says since when, tells once, and releases 30 s after the last client', async () => {
    const held = hold(A)
    expect(held.standing).toBe('undecided')
    await clock.advance(300)
    expect([held.standing, held.sinceSeq, told]).toEqual(['streams', 7, 1])
    expect([...(targets.get('a') ?? [])]).toEqual([[A, 'quote']])
    expect([book.ownerStreams('desk', A), book.ownerStreams('other', A)]).toEqual([true, false])
    const again = hold(A)
    book.release(who(), held, 'quote')
    await clock.advance(60_000)
    expect([passes, targets.get('a')?.size]).toEqual([1, 1])
    book.release(who(), again, 'quote')
    await clock.advance(29_000)
    expect(targets.get('a')?.size).toBe(1)
    await clock.advance(RELEASED_MS - 29_000)
    expect(targets.get('a')?.size ?? 0).toBe(0)
    const change = { owner: 'desk', token: A }
    expect(served).toEqual([
      { ...change, before: undefined, after: 'quote' },
      { ...change, before: 'quote', after: undefined },
    ])
    expect(await metric('ticker_interest_released_total')).toBe('ticker_interest_released_total 1')
    expect(await metric('ticker_interest_instruments')).toBe('ticker_interest_instruments 0')
  })

  it('a storm of reconnections costs no pass and no broker frame; nor does what rows stream already', async () => {
    base = new Map([['a', new Map([[A, 'full' as const]])]])
    const tokens = Array.from({ length: 50 }, (_, index) => index * 256 + 1_025)
    for (const token of tokens) hold(token)
    await clock.advance(300)
    expect(passes).toBe(1)
    for (let round = 0; round < 20; round += 1) {
      for (const token of tokens) book.release(who(), hold(token), 'quote')
      await clock.advance(1_000)
    }
    expect(hold(A).standing).toBe('streams')
    await clock.advance(1_000)
    expect(passes).toBe(1)
  })

  it('raises a mode for whoever wants more, also of a row, and lowers it 30 s later', async () => {
    base = new Map([['a', new Map([[A, 'ltp' as const]])]])
    hold(B, 'ltp')
    await clock.advance(300)
    const held = hold(A, 'full')
    expect(held.standing).toBe('streams')
    await clock.advance(300)
    expect(targets.get('a')?.get(A)).toBe('full')
    book.change(held, 'full', 'ltp')
    await clock.advance(29_000)
    expect(targets.get('a')?.get(A)).toBe('full')
    await clock.advance(RELEASED_MS - 29_000)
    expect(targets.get('a')?.get(A)).toBe('ltp')
  })

  it('a key holds as many different instruments as its credentials say, over all its connections', async () => {
    const [first, second] = [who({ instrumentsMax: 2 }), who({ instrumentsMax: 2 })]
    const held = hold(A, 'ltp', first)
    hold(B, 'ltp', second)
    expect(book.hold(first, C, 'ltp')).toBe('key_limit')
    expect(book.refusalOf(first, [A, C])).toBe('key_limit')
    expect(book.refusalOf(first, [A, B])).toBeUndefined()
    hold(A, 'full', second)
    book.release(first, held, 'ltp')
    expect(book.hold(first, C, 'ltp')).toBe('key_limit')
    book.release(second, held, 'full')
    hold(C, 'ltp', first)
    expect(book.hold(who({ keyId: 'another' }), A, 'ltp')).toMatchObject({ token: A })
    expect(await metric('ticker_interest_refused_total')).toBe(
      'ticker_interest_refused_total{reason="key_limit"} 3',
    )
  })

  it('the process holds so many and no more', async () => {
    await end()
    setUp(2)
    hold(A)
    hold(B, 'quote', who({ owner: 'other' }))
    expect(book.refusalOf(who(), [A, C])).toBe('process_limit')
    expect(book.hold(who(), C, 'quote')).toBe('process_limit')
    expect(book.refusalOf(who(), [A])).toBeUndefined()
    expect(await metric('ticker_interest_refused_total')).toContain('process_limit')
  })

  it('decides nothing before it knows which accounts are owned here, and follows when they change', async () => {
    await end()
    setUp()
    const held = hold(A)
    await clock.advance(5_000)
    expect(held.standing).toBe('undecided')
    book.setOwned([])
    await clock.advance(300)
    expect(held.standing).toBe('no_account')
    expect(book.status()).toEqual({ instruments: 1, unserved: { no_account: 1 } })
    book.setOwned([ownedAccount('a')])
    book.place(base, [])
    expect(held.standing).toBe('streams')
    book.setOwned([ownedAccount('a', { session: undefined })])
    book.place(base, [])
    expect([held.standing, book.ownerStreams('desk', A)]).toEqual(['no_session', false])
  })

  it('never streams for one owner through an account of another', async () => {
    base = new Map([['x', new Map([[A, 'full' as const]])]])
    book.setOwned([ownedAccount('x', { owner: 'other' })])
    const [mine, theirs] = [hold(A), hold(A, 'ltp', who({ owner: 'other', keyId: 'theirs' }))]
    await clock.advance(300)
    expect([mine.standing, theirs.standing]).toEqual(['no_account', 'streams'])
    expect([...targets.keys()]).toEqual(['x'])
    expect(book.ownerStreams('desk', A)).toBe(false)
  })
})
