import { expect, it } from 'vitest'
import { SimClock } from './clock.ts'
import { istDate, istTimestamp, nextTokenExpiryMs, parseIst } from './ist-time.ts'
import { seededRandom } from './random.ts'
import { UserStore } from './users/user-store.ts'

it('runs with the wall clock until it is moved, scaled or set', () => {
  let wall = 1_000
  const clock = new SimClock(() => wall)
  expect(clock.nowMs()).toBe(1_000)
  clock.setSpeed(10)
  wall += 100
  expect(clock.nowMs()).toBe(2_000)
  clock.set(50_000)
  wall += 10
  expect(clock.nowMs()).toBe(50_100)
  clock.setOffset(-500)
  expect(clock.nowMs()).toBe(wall - 500)
  expect(clock.view()).toMatchObject({ offset_ms: -500, speed: 10 })
})

it('writes and reads IST without a zone', () => {
  const ms = Date.parse('2026-11-23T00:10:00+05:30')
  expect(istTimestamp(ms)).toBe('2026-11-23 00:10:00')
  expect(istDate(ms)).toBe('2026-11-23')
  expect(parseIst('2026-11-23 00:10:00.250500')).toBeCloseTo(ms + 250.5, 3)
  expect(parseIst('soon')).toBeNaN()
})

it('ends a session at 06:00 IST of the next day, by the simulated clock', () => {
  expect(new Date(nextTokenExpiryMs(Date.parse('2026-11-23T10:00:00+05:30'))).toISOString()).toBe(
    '2026-11-24T00:30:00.000Z',
  )
  const clock = new SimClock(() => 0, Date.parse('2026-11-23T10:00:00+05:30'))
  const user = { user_id: 'A', api_key: 'k', api_secret: 's', access_token: 'token' }
  const users = new UserStore(clock, [user])
  expect(users.authenticate('k', 'token')?.user_id).toBe('A')
  clock.set(Date.parse('2026-11-24T06:00:00+05:30'))
  expect(users.authenticate('k', 'token')).toBeNull()
})

it('lets request tokens expire and bounds how many are kept', () => {
  let wall = 0
  const users = new UserStore(new SimClock(() => wall), [{ user_id: 'A', api_key: 'k', api_secret: 's' }])
  const user = users.get('A')
  if (user === null) expect.unreachable()
  const first = users.issueRequestToken(user)
  for (let more = 0; more < 1_000; more++) users.issueRequestToken(user)
  expect(users.exchange('k', first, '')).toBe('bad_request_token')
  const late = users.issueRequestToken(user)
  wall += 5 * 60_000 + 1
  expect(users.exchange('k', late, '')).toBe('bad_request_token')
})

it('draws the same numbers from the same seed', () => {
  const draw = (seed: number) => {
    const random = seededRandom(seed)
    return [random.next(), random.gaussian(), random.int(1, 6)]
  }
  expect(draw(5)).toEqual(draw(5))
  expect(draw(5)).not.toEqual(draw(6))
})
