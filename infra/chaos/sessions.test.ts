// RELIABILITY rows 5 and 9: an account loses its session, with nobody to take over and with somebody.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { derivatives } from '../bench/bench-system.ts'
import { percentile } from '../bench/measure.ts'
import { subscribedAtBroker } from '../e2e/broker-side.ts'
import { createDesk, type Desk } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import { watchStream } from '../e2e/stream-watch.ts'
import { createAccount, logIn, until } from '../local/seed.ts'
import { DEMO_USERS } from '../local/system.ts'
import { holdsBelow, holdsWithin } from './promise.ts'

const INSTRUMENTS = 2_000
const LOGINS = 5
const LOSSES = 5
const GIVEN_UP_MS = 90_000
/** Promised. */
const RUNNING_MS = 5_000
const TRIES_MAX = 3
const FAILED_OVER_MS = 15_000

const [DEMO, SECOND] = DEMO_USERS
let desk: Desk
let tokens: number[]
beforeAll(async () => {
  desk = createDesk(await runSystem(['--no-delays', '--no-rate-limits']))
  tokens = await derivatives(desk, INSTRUMENTS)
  await desk.subscribe(tokens)
  await until('all are subscribed', async () => (await subscribedAtBroker(desk)) === INSTRUMENTS)
})
afterAll(() => desk?.stop())

it('row 5: a refused session is tried no more; the next login is used at once', {
  timeout: 600_000,
}, async () => {
  const pid = desk.system.dataPlane.pid()
  const refused = async () =>
    (await desk.metric('ticker_kite_socket_connects_total\\{outcome="refused"[^}]*\\}')) || 0
  const sessionOf = async () =>
    (await desk.instance()).accounts.find((each) => each.account_id === 'demo')?.session
  const watch = await watchStream(desk.api, tokens)
  const tries: number[] = []
  const runningMs: number[] = []
  for (let login = 0; login < LOGINS; login += 1) {
    const before = await refused()
    await desk.fault('token_dead', { user_id: DEMO.user_id, sockets: 'close' })
    await until('it is not used any more', async () => (await sessionOf()) !== 'active', GIVEN_UP_MS)
    tries.push((await refused()) - before)
    watch.begin()
    await logIn(desk.api, 'demo', DEMO.user_id)
    runningMs.push(percentile(await watch.back(GIVEN_UP_MS), 99))
  }
  watch.close()
  holdsBelow(5, 'tries with a refused session', tries, TRIES_MAX)
  holdsWithin(5, 'login begun → first tick of 2,000 instruments, p99', runningMs, RUNNING_MS)
  expect(desk.system.dataPlane.pid()).toBe(pid)
})

it('row 9: what an account carried flows through the other one of its owner', {
  timeout: 600_000,
}, async () => {
  await createAccount(desk.api, 'second', SECOND)
  const backInUse = async () => {
    await logIn(desk.api, 'second', SECOND.user_id)
    await until('both carry', async () => {
      const [demo, second] = await Promise.all(
        DEMO_USERS.map(({ user_id }) => subscribedAtBroker(desk, user_id)),
      )
      return second !== undefined && second > 0 && demo !== undefined && demo + second === INSTRUMENTS
    })
  }
  await backInUse()
  const watch = await watchStream(desk.api, tokens)
  const backMs: number[] = []
  for (let loss = 0; loss < LOSSES; loss += 1) {
    watch.begin()
    await desk.fault('token_dead', { user_id: SECOND.user_id, sockets: 'close' })
    backMs.push(percentile(await watch.back(GIVEN_UP_MS), 99))
    expect(await subscribedAtBroker(desk, DEMO.user_id)).toBe(INSTRUMENTS)
    await backInUse()
  }
  watch.close()
  holdsWithin(9, 'session lost → first ticks through the other account, p99', backMs, FAILED_OVER_MS)
})
