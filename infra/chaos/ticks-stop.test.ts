// RELIABILITY rows 2 and 3: ticks stop while heartbeats go on, of one connection and of all; and no frames at all.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { derivatives } from '../bench/bench-system.ts'
import { percentile } from '../bench/measure.ts'
import { type BrokerSocket, socketsAtBroker, subscribedAtBroker } from '../e2e/broker-side.ts'
import { createDesk, type Desk } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import { type StreamWatch, watchStream } from '../e2e/stream-watch.ts'
import { createAccount, logIn, until } from '../local/seed.ts'
import { DEMO_USERS } from '../local/system.ts'
import { lasts } from './lasts.ts'
import { holdsAlways, holdsWithin } from './promise.ts'

const INSTRUMENTS = 1_000
/** So that both accounts fill one connection and start another, and there is room for what moves. */
const PER_CONNECTION = 400
const MUTED_ROUNDS = 3
const SILENT_ROUNDS = 10
const HALT_MS = 40_000
const SHOWN_MS = 10_000
const GIVEN_UP_MS = 60_000
/** Promised. Looked at twice a second. */
const LOOKED_AT_MS = 500
const RESUBSCRIBED_MS = 5_000 + LOOKED_AT_MS
const RECONNECTED_MS = 10_000 + 2 * LOOKED_AT_MS
const MOVED_MS = 20_000 + 3 * LOOKED_AT_MS
const GIVEN_UP_ON_MS = 5_500

let desk: Desk
let watch: StreamWatch
beforeAll(async () => {
  desk = createDesk(await runSystem(['--no-delays', '--no-rate-limits']))
  const [, second] = DEMO_USERS
  await createAccount(desk.api, 'second', second)
  await logIn(desk.api, 'second', second.user_id)
  for (const id of ['demo', 'second'])
    await desk.api.call(z.unknown(), 'PATCH', `/v1/accounts/${id}`, {
      max_instruments_per_connection: PER_CONNECTION,
    })
  const tokens = await derivatives(desk, INSTRUMENTS)
  await desk.subscribe(tokens)
  await until('all are subscribed', async () => (await subscribedAtBroker(desk)) === INSTRUMENTS)
  watch = await watchStream(desk.api, tokens)
})
afterAll(async () => {
  watch?.close()
  await desk?.stop()
})
afterEach(async () => {
  await desk.simulator('DELETE', '/sim/faults')
})

const counted = async (metric: string) => (await desk.metric(metric)) || 0
const actions = (action: string) => counted(`ticker_liveness_actions_total\\{action="${action}"[^}]*\\}`)
async function actionsOf() {
  const [resubscribe, reconnect, move] = await Promise.all(['resubscribe', 'reconnect', 'move'].map(actions))
  return { resubscribe: resubscribe ?? 0, reconnect: reconnect ?? 0, move: move ?? 0 }
}

async function fullestSocket(): Promise<BrokerSocket> {
  const [fullest] = (await socketsAtBroker(desk)).toSorted((a, b) => b.subscriptions - a.subscriptions)
  if (!fullest) throw new Error('no socket is open')
  return fullest
}

/** The time at which the count is above what it was. */
async function risen(metric: () => Promise<number>, above: number): Promise<number> {
  await until('the next stage', async () => (await metric()) > above)
  return watch.elapsedMs()
}

it('row 2: a connection whose ticks stop: subscribed again, made anew, its instruments moved', {
  timeout: 600_000,
}, async () => {
  const resubscribedMs: number[] = []
  const reconnectedMs: number[] = []
  const movedMs: number[] = []
  const backMs: number[] = []
  for (let round = 0; round < MUTED_ROUNDS; round += 1) {
    // A connection is judged by the rate it has shown.
    await lasts(SHOWN_MS)
    const { user_id, ordinal } = await fullestSocket()
    const before = await actionsOf()
    watch.begin()
    // By its number, which a reconnect gets again.
    await desk.fault('mute', { user_id, socket: ordinal })
    resubscribedMs.push(await risen(() => actions('resubscribe'), before.resubscribe))
    reconnectedMs.push(await risen(() => actions('reconnect'), before.reconnect))
    movedMs.push(await risen(() => actions('move'), before.move))
    backMs.push(Math.max(...(await watch.back(GIVEN_UP_MS))))
    await desk.simulator('DELETE', '/sim/faults')
    await until('all are subscribed', async () => (await subscribedAtBroker(desk)) === INSTRUMENTS)
  }
  holdsWithin(2, 'ticks of a connection stop → subscribed again', resubscribedMs, RESUBSCRIBED_MS)
  holdsWithin(2, 'ticks of a connection stop → reconnected', reconnectedMs, RECONNECTED_MS)
  holdsWithin(2, 'ticks of a connection stop → moved to another', movedMs, MOVED_MS)
  holdsWithin(2, 'ticks of a connection stop → all tick on another', backMs, MOVED_MS + 8_000)
})

it('row 2: ticks of all stop, as in a halt: one recovery of each connection', {
  timeout: 300_000,
}, async () => {
  await lasts(SHOWN_MS)
  const connections = (await socketsAtBroker(desk)).filter((each) => each.subscriptions > 0).length
  const before = await actionsOf()
  watch.begin()
  await desk.fault('mute')
  await lasts(HALT_MS)
  const after = await actionsOf()
  holdsAlways(
    2,
    `resubscriptions of ${connections} connections in a halt`,
    [after.resubscribe - before.resubscribe],
    connections,
  )
  holdsAlways(
    2,
    `reconnects of ${connections} connections in a halt`,
    [after.reconnect - before.reconnect],
    connections,
  )
  holdsAlways(2, 'moves in a halt', [after.move - before.move], 0)
  watch.begin()
  await desk.simulator('DELETE', '/sim/faults')
  await until('no connection is silent', async () => (await counted('ticker_liveness_silent_groups')) === 0)
  holdsWithin(2, 'the halt ends → no connection is silent', [watch.elapsedMs()], 5_000)
})

it('row 3: no frames at all: the socket is given up', { timeout: 600_000 }, async () => {
  const givenUpMs: number[] = []
  const backMs: number[] = []
  const givenUp = () => counted('ticker_kite_socket_disconnects_total\\{reason="read_timeout"[^}]*\\}')
  for (let round = 0; round < SILENT_ROUNDS; round += 1) {
    const { id } = await fullestSocket()
    const before = await givenUp()
    watch.begin()
    await desk.fault('silence', { socket: id })
    givenUpMs.push(await risen(givenUp, before))
    backMs.push(percentile(await watch.back(GIVEN_UP_MS), 99))
    expect((await socketsAtBroker(desk)).map((each) => each.id)).not.toContain(id)
  }
  holdsWithin(3, 'frames stop → the socket is given up', givenUpMs, GIVEN_UP_ON_MS)
  holdsWithin(3, 'frames stop → first ticks on a new socket, p99', backMs, GIVEN_UP_ON_MS + 8_000)
})
