import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fakeClock } from '../testing/fake-clock.ts'
import { budgetOf } from './budget.ts'
import {
  createGovernor,
  ENTRIES_PER_DAY_MAX,
  ENTRIES_PER_SECOND_MAX,
  type Governor,
  ORDERS_PER_DAY_MAX,
  ORDERS_PER_MINUTE_MAX,
  ORDERS_PER_SECOND_MAX,
  type Token,
  WRITES_PER_SECOND_MAX,
} from './governor.ts'

it('waits out the previous owner’s second before its first order', async () => {
  const clock = fakeClock()
  const governor = createGovernor(clock)
  expect(governor.take()).toEqual({ granted: false, waitMs: 1000, limit: 'takeover' })
  await clock.advance(1000)
  expect(governor.take().granted).toBe(true)
})

it('never grants more than the limits in any sliding second or minute, and loses no capacity to waiting', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 400 }), { minLength: 50, maxLength: 300 }),
      async (gaps) => {
        const clock = fakeClock()
        const governor = createGovernor(clock)
        await clock.advance(1000)
        const granted: number[] = []
        for (const gapMs of gaps) {
          await clock.advance(gapMs)
          for (let burst = 0; burst < 12; burst += 1)
            if (governor.take().granted) granted.push(clock.monotonicMs())
        }
        const within = (atMs: number, spanMs: number) =>
          granted.filter((other) => other > atMs - spanMs && other <= atMs).length
        for (const atMs of granted) {
          expect(within(atMs, 1_000)).toBeLessThanOrEqual(ORDERS_PER_SECOND_MAX)
          expect(within(atMs, 60_000)).toBeLessThanOrEqual(ORDERS_PER_MINUTE_MAX)
        }
      },
    ),
    { numRuns: 20 },
  )
})

function tokenOf(governor: Governor): Token {
  const permission = governor.take()
  if (!permission.granted) throw new Error(permission.limit)
  return permission.token
}

it('says when the next order may go, and takes back exactly the token that was not used, once', async () => {
  const clock = fakeClock()
  const governor = createGovernor(clock)
  await clock.advance(1000)
  const first = tokenOf(governor)
  await clock.advance(500)
  for (let index = 1; index < ENTRIES_PER_SECOND_MAX; index += 1) tokenOf(governor)
  await clock.advance(100)
  expect(governor.take()).toEqual({ granted: false, waitMs: 400, limit: 'second' })
  first.giveBack()
  first.giveBack()
  tokenOf(governor)
  // The others of half a second ago still count, each for its own second.
  expect(governor.take()).toEqual({ granted: false, waitMs: 900, limit: 'second' })
  expect(governor.usedToday()).toBe(ENTRIES_PER_SECOND_MAX)
  expect(budgetOf('desk1', governor)).toEqual({
    ...{ account_id: 'desk1', orders_last_second: 8, orders_last_minute: 8, orders_today: 8 },
    ...{ entries_left_today: ENTRIES_PER_DAY_MAX - 8, orders_left_today: ORDERS_PER_DAY_MAX - 8 },
  })
  await clock.advance(1_000)
  expect(governor.usedLately()).toEqual({ second: 0, minute: 8 })
})

it('goes on from the counts it was given, and keeps the day’s last 500 orders for exits', async () => {
  const clock = fakeClock()
  const governor = createGovernor(clock)
  governor.startFrom({ today: ENTRIES_PER_DAY_MAX - 1, lastMinute: ORDERS_PER_MINUTE_MAX })
  await clock.advance(1000)
  expect(governor.take()).toMatchObject({ granted: false, limit: 'minute' })
  await clock.advance(60_000)
  expect(governor.take().granted).toBe(true)
  expect(governor.take()).toEqual({ granted: false, waitMs: undefined, limit: 'day' })
})

it('refuses the write that would be one too many for the broker, however late its token was used', async () => {
  const clock = fakeClock()
  const governor = createGovernor(clock)
  await clock.advance(1000)
  const tokens: Token[] = []
  for (let index = 0; index <= WRITES_PER_SECOND_MAX; index += 1) {
    await clock.advance(200)
    tokens.push(tokenOf(governor))
  }
  const last = tokens.pop()
  for (const token of tokens) expect(token.mayWrite()).toBe(true)
  await clock.advance(999)
  expect(last?.mayWrite()).toBe(false)
  await clock.advance(1)
  expect(last?.mayWrite()).toBe(true)
})

it('counts an order from its write on: however late that was, the next second’s orders are not refused at theirs', async () => {
  const clock = fakeClock()
  const governor = createGovernor(clock)
  await clock.advance(1000)
  const tokens = Array.from({ length: ENTRIES_PER_SECOND_MAX }, () => tokenOf(governor))
  for (const token of tokens) {
    await clock.advance(30)
    expect(token.mayWrite()).toBe(true)
  }
  const written: boolean[] = []
  for (let at = 0; at < 2_000; at += 10) {
    await clock.advance(10)
    const permission = governor.take()
    if (permission.granted) written.push(permission.token.mayWrite())
  }
  expect(written).toHaveLength(2 * ENTRIES_PER_SECOND_MAX)
  expect(written).not.toContain(false)
})

it('begins a new count with each day in India, also when the broker’s book is what says so', async () => {
  // 23:59:00 IST.
  const clock = fakeClock(Date.UTC(2026, 10, 23, 18, 29, 0))
  const governor = createGovernor(clock)
  governor.startFrom({ today: ENTRIES_PER_DAY_MAX - 1, lastMinute: 0 })
  await clock.advance(1_000)
  const late = tokenOf(governor)
  expect(governor.take()).toMatchObject({ limit: 'day' })
  await clock.advance(59_000)
  late.giveBack()
  expect(governor.usedToday()).toBe(0)
  governor.startFrom({ today: 3, lastMinute: 0 })
  tokenOf(governor)
  expect(governor.usedToday()).toBe(4)
})

it('counts what others placed in the last minute, whatever it sent itself before that', async () => {
  const clock = fakeClock()
  const governor = createGovernor(clock)
  await clock.advance(1_000)
  for (let sent = 0; sent < 300; sent += 1) {
    tokenOf(governor)
    await clock.advance(160)
  }
  await clock.advance(600_000)
  governor.startFrom({ today: 600, lastMinute: 300 })
  let granted = 0
  for (let asked = 0; asked < 350; asked += 1) {
    if (governor.take().granted) granted += 1
    await clock.advance(150)
  }
  expect(granted).toBe(ORDERS_PER_MINUTE_MAX - 300)
})

it('places and changes together keep to the second; cancels may use the tenth, and no change counts in minute or day', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({
          gapMs: fc.integer({ min: 0, max: 300 }),
          what: fc.constantFrom('place', 'modify', 'cancel'),
        }),
        {
          minLength: 50,
          maxLength: 300,
        },
      ),
      async (steps) => {
        const clock = fakeClock()
        const governor = createGovernor(clock)
        await clock.advance(1000)
        const granted: { atMs: number; what: string }[] = []
        let places = 0
        for (const { gapMs, what } of steps) {
          await clock.advance(gapMs)
          for (let burst = 0; burst < 4; burst += 1) {
            const permission =
              what === 'modify' || what === 'cancel' ? governor.takeForChange(what) : governor.take()
            if (!permission.granted) continue
            granted.push({ atMs: clock.monotonicMs(), what })
            if (what === 'place') places += 1
          }
        }
        for (const { atMs, what } of granted) {
          const within = granted.filter((other) => other.atMs > atMs - 1_000 && other.atMs <= atMs)
          expect(within.length).toBeLessThanOrEqual(WRITES_PER_SECOND_MAX)
          if (what !== 'cancel' && within.at(-1)?.what !== 'cancel')
            expect(within.filter((other) => other.what !== 'cancel').length).toBeLessThanOrEqual(
              ORDERS_PER_SECOND_MAX,
            )
        }
        expect(governor.usedToday()).toBe(places)
      },
    ),
    { numRuns: 20 },
  )
})

it('a new owner cancels at once, and modifies after the previous owner’s second', async () => {
  const governor = createGovernor(fakeClock())
  expect(governor.takeForChange('cancel').granted).toBe(true)
  expect(governor.takeForChange('modify')).toEqual({ granted: false, waitMs: 1000, limit: 'takeover' })
})

it('with the places of a second used up, one cancel still goes out, and its token can be given back', async () => {
  const clock = fakeClock()
  const governor = createGovernor(clock)
  await clock.advance(1000)
  for (let index = 0; index < ORDERS_PER_SECOND_MAX; index += 1)
    expect(governor.take(1, true).granted).toBe(true)
  expect(governor.takeForChange('modify')).toEqual({ granted: false, waitMs: 1000, limit: 'second' })
  const cancel = governor.takeForChange('cancel')
  expect(governor.takeForChange('cancel').granted).toBe(false)
  if (cancel.granted) cancel.token.giveBack()
  expect(governor.takeForChange('cancel').granted).toBe(true)
})

it('a change counts in the second of its write, however late that comes', async () => {
  const clock = fakeClock()
  const governor = createGovernor(clock)
  await clock.advance(1000)
  const modify = governor.takeForChange('modify')
  await clock.advance(1500)
  // By now what was let through more than a second ago is forgotten.
  expect(governor.usedLately().second).toBe(0)
  expect(modify.granted && modify.token.mayWrite()).toBe(true)
  expect(governor.usedLately().second).toBe(1)
  for (let index = 0; index < ENTRIES_PER_SECOND_MAX - 1; index += 1) tokenOf(governor)
  expect(governor.take()).toMatchObject({ granted: false, limit: 'second' })
})

it('an iceberg is one order in the second and each of its legs in the day; what does not fit is not begun', async () => {
  const clock = fakeClock()
  const governor = createGovernor(clock)
  await clock.advance(1000)
  governor.startFrom({ today: ENTRIES_PER_DAY_MAX - 60, lastMinute: 0 })
  const iceberg = governor.take(50)
  expect([iceberg.granted, governor.usedToday()]).toEqual([true, ENTRIES_PER_DAY_MAX - 10])
  expect(governor.take(11)).toMatchObject({ granted: false, limit: 'day' })
  expect(Array.from({ length: ENTRIES_PER_SECOND_MAX - 1 }, () => governor.take().granted)).not.toContain(
    false,
  )
  expect(governor.take()).toMatchObject({ granted: false, limit: 'second' })
  if (iceberg.granted) iceberg.token.giveBack()
  expect(governor.usedToday()).toBe(ENTRIES_PER_DAY_MAX - 60 + ENTRIES_PER_SECOND_MAX - 1)
})

it('an exit has one more order a second, and the day’s last 500', async () => {
  const clock = fakeClock()
  const governor = createGovernor(clock)
  await clock.advance(1000)
  for (let index = 0; index < ENTRIES_PER_SECOND_MAX; index += 1) tokenOf(governor)
  expect(governor.take(1).granted).toBe(false)
  expect(governor.take(1, true).granted).toBe(true)
  expect(governor.take(1, true)).toMatchObject({ granted: false, limit: 'second' })
  governor.startFrom({ today: ORDERS_PER_DAY_MAX - 1, lastMinute: 0 })
  await clock.advance(60_000)
  expect(governor.take(1)).toMatchObject({ limit: 'day' })
  expect(governor.take(1, true).granted).toBe(true)
  expect(governor.take(1, true)).toMatchObject({ granted: false, limit: 'day' })
})
