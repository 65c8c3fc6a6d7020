// RELIABILITY row 1: the broker resets a socket with 3,000 instruments, again and again.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { derivatives } from '../bench/bench-system.ts'
import { percentile } from '../bench/measure.ts'
import { socketsAtBroker } from '../e2e/broker-side.ts'
import { createDesk, type Desk } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import { watchStream } from '../e2e/stream-watch.ts'
import { DEMO_USERS } from '../local/system.ts'
import { holdsAlways, holdsWithin } from './promise.ts'

const INSTRUMENTS = 3_000
const RESETS = 12
const GIVEN_UP_MS = 60_000
/** Promised. */
const STALE_MS = 1_000
const BACK_MS = 8_000

let desk: Desk
beforeAll(async () => {
  desk = createDesk(await runSystem(['--no-delays', '--no-rate-limits']))
})
afterAll(() => desk?.stop())

it('row 1: a reset is said at once, and its 3,000 instruments tick again', { timeout: 600_000 }, async () => {
  const tokens = await derivatives(desk, INSTRUMENTS)
  await desk.subscribe(tokens)
  const watch = await watchStream(desk.api, tokens)
  const staleMs: number[] = []
  const backMs: number[] = []
  const gaps: number[] = []
  for (let reset = 0; reset < RESETS; reset += 1) {
    const sockets = await socketsAtBroker(desk)
    expect(sockets.map((each) => each.subscriptions)).toEqual([INSTRUMENTS])
    watch.begin()
    await desk.fault('drop_socket', { user_id: DEMO_USERS[0].user_id, how: 'rst' })
    staleMs.push(await watch.stale())
    backMs.push(percentile(await watch.back(GIVEN_UP_MS), 99))
    gaps.push(watch.gaps())
  }
  watch.close()
  holdsWithin(1, 'reset → all are said to be stale', staleMs, STALE_MS)
  holdsWithin(1, 'reset → first tick of 3,000 instruments, p99', backMs, BACK_MS)
  holdsAlways(1, 'gap markers of a reset', gaps, 1)
})
