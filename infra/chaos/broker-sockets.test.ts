// RELIABILITY rows 1, 2, 3, 5 and 9, over and over: how long 500 instruments of a broker socket are away from a stream
// client. (The first tick of 3,000 after a reset is measured by `pnpm bench pool`.)
import { afterAll, beforeAll, describe, it } from 'vitest'
import { z } from 'zod'
import { createDesk, type Desk } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import { createAccount, logIn, until } from '../local/seed.ts'
import { openStream, type StreamClient } from '../local/stream-client.ts'
import { DEMO_USERS } from '../local/system.ts'
import { keepsPromise, msUntil } from './figure.ts'

const ROUNDS = 5
const INSTRUMENTS = 500
const ROUND_TIMEOUT_MS = 90_000
const [DEMO, SECOND] = DEMO_USERS
const page = z.object({ items: z.array(z.object({ instrument_token: z.number() })) })
const state = z.object({
  sockets: z.array(z.object({ id: z.string(), user_id: z.string(), subscriptions: z.number() })),
})

let desk: Desk
let client: StreamClient
let tokens: number[]

beforeAll(async () => {
  desk = createDesk(await runSystem(['--no-delays', '--no-rate-limits']))
  const { items } = await desk.api.call(page, 'GET', `/v1/instruments?exchange=NFO&limit=${INSTRUMENTS}`)
  tokens = items.map((item) => item.instrument_token)
  await desk.subscribe(tokens, { mode: 'ltp' })
  client = await openStream(desk.api)
  client.send({ op: 'subscribe', instruments: tokens, delivery: 'every', mode: 'ltp' })
  await until('all tick', allTickSince(0))
})
afterAll(async () => {
  client?.close()
  await desk?.stop()
})

const socketsOf = async (userId: string) =>
  state
    .parse(await desk.simulator('GET', '/sim/state'))
    .sockets.filter((each) => each.user_id === userId && each.subscriptions > 0)
const carried = async (userId: string) =>
  (await socketsOf(userId)).reduce((sum, each) => sum + each.subscriptions, 0)

const allTickSince = (from: number) => async () => {
  const seen = new Set(client.ticks.slice(from).map((tick) => tick.instrument_token))
  return tokens.every((token) => seen.has(token))
}
const heard = (from: number, wanted: string) => async () =>
  client.messages.slice(from).some(({ op, state }) => op === wanted || (op === 'state' && state === wanted))

/** One round: the fault, when clients hear that it is stale, and when all tick again after the gap is said. */
async function away(begin: () => Promise<void>) {
  client.ticks.length = 0
  client.messages.length = 0
  const startedMs = performance.now()
  await begin()
  await until('stale', heard(0, 'stale'), ROUND_TIMEOUT_MS)
  const staleMs = performance.now() - startedMs
  await until('the gap marker', heard(0, 'gap'), ROUND_TIMEOUT_MS)
  await until('all tick again', allTickSince(client.ticks.length), ROUND_TIMEOUT_MS)
  return { staleMs, backMs: performance.now() - startedMs }
}

async function rounds(
  what: string,
  promised: { staleMs: number; backMs: number },
  begin: () => Promise<void>,
) {
  const [stale, back]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round += 1) {
    const { staleMs, backMs } = await away(begin)
    stale.push(staleMs)
    back.push(backMs)
  }
  keepsPromise(`${what} → stale`, stale, promised.staleMs)
  keepsPromise(`${what} → all tick again`, back, promised.backMs)
}

describe('how long ticks are away', { timeout: ROUNDS * ROUND_TIMEOUT_MS * 3 }, () => {
  it('row 1: the socket is reset', () =>
    rounds('row 1, reset', { staleMs: 1_000, backMs: 8_000 }, () =>
      desk.fault('drop_socket', { user_id: DEMO.user_id, how: 'rst' }),
    ))

  it('row 2: heartbeats go on, ticks stop until it subscribes again', () =>
    // 5 s until it is called silence, then the first tick of each.
    rounds('row 2, mute until subscribed again', { staleMs: 6_000, backMs: 10_000 }, () =>
      desk.fault('mute', { user_id: DEMO.user_id, until: 'subscribe' }),
    ))

  it('row 3: no frames at all', () =>
    // 5 s until it is given up; a new socket has its ticks at once.
    rounds('row 3, silence', { staleMs: 5_000, backMs: 10_000 }, async () => {
      const [socket] = await socketsOf(DEMO.user_id)
      await desk.fault('silence', { user_id: DEMO.user_id, socket: socket?.id, for_ms: 60_000 })
    }))

  it('row 5: the session is dead; from the new login on', async () => {
    const took: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      await desk.fault('token_dead', { user_id: DEMO.user_id, sockets: 'close' })
      await until('nothing is carried', async () => (await carried(DEMO.user_id)) === 0)
      await until('it is given up', async () => !(await desk.isReady()), ROUND_TIMEOUT_MS)
      await logIn(desk.api, 'demo', DEMO.user_id)
      took.push(
        await msUntil(() => until('it is carried', async () => (await carried(DEMO.user_id)) >= INSTRUMENTS)),
      )
    }
    keepsPromise('row 5, login → subscribed at the broker', took, 5_000)
  })

  it('row 9: one account loses its session, the other has room', async () => {
    await createAccount(desk.api, 'second', SECOND)
    await logIn(desk.api, 'second', SECOND.user_id)
    const took: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const [from, userId] =
        (await carried(DEMO.user_id)) >= INSTRUMENTS
          ? (['demo', DEMO.user_id] as const)
          : (['second', SECOND.user_id] as const)
      await desk.fault('token_dead', { user_id: userId, sockets: 'close' })
      client.ticks.length = 0
      took.push(await msUntil(() => until('all tick again', allTickSince(0), ROUND_TIMEOUT_MS)))
      await logIn(desk.api, from, userId)
      await until('both can', desk.isReady, ROUND_TIMEOUT_MS)
    }
    keepsPromise('row 9, session lost → all tick through the other account', took, 15_000)
  })
})
