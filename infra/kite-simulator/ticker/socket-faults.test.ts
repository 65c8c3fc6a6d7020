import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Simulator } from '../index.ts'
import {
  call,
  connect,
  connected,
  INFY,
  NIFTY,
  startTestSimulator,
  type TickerClient,
  USER,
  until,
} from '../testing/harness.ts'

const OTHER = { ...USER, user_id: 'CD5678', api_key: 'otherkey', access_token: 'othertoken' }
const sockets = z.object({
  sockets: z.array(
    z.object({ id: z.string(), ordinal: z.number(), user_id: z.string(), bytes_read: z.number() }),
  ),
})

let simulator: Simulator
let clients: TickerClient[]
beforeAll(async () => {
  simulator = await startTestSimulator({ users: [USER, OTHER] })
})
beforeEach(async () => {
  clients = []
  await call(simulator, 'DELETE', '/sim/faults')
  return async () => {
    for (const client of clients) client.close()
    await until(view, (open) => open.length === 0)
  }
})
afterAll(() => simulator.stop())

const arm = (body: Record<string, unknown>) => call(simulator, 'POST', '/sim/faults', body)
const view = async () => sockets.parse((await call(simulator, 'GET', '/sim/state')).data).sockets

/** Subscribed and ticking. */
async function ticking(
  tokens: number[],
  user: { api_key: string; access_token: string } = USER,
): Promise<TickerClient> {
  const client = await connected(simulator, user)
  clients.push(client)
  client.send({ a: 'mode', v: ['full', tokens] })
  await client.until((seen) => seen.ticks().length > 3 * tokens.length)
  return client
}

const ends = (client: TickerClient) => client.until((seen) => seen.received.at(-1)?.kind === 'closed')
const last = (client: TickerClient) => client.received.at(-1)
const hears = (client: TickerClient) => {
  const before = client.ticks().length
  return client.until((seen) => seen.ticks().length > before + 3)
}
const isHushed = (client: TickerClient) => {
  const latest = client.received.slice(-3)
  return latest.length === 3 && latest.every((one) => one.kind === 'heartbeat')
}

describe('drop_socket', () => {
  it('resets the TCP connection, ends it, or closes the WebSocket with a code', async () => {
    const reset = await ticking([INFY])
    expect((await arm({ kind: 'drop_socket', how: 'rst' })).data).toEqual({ dropped: 1 })
    await ends(reset)
    expect(last(reset)).toEqual({ kind: 'closed', code: 1006, error: 'ECONNRESET' })
    const ended = await ticking([INFY])
    await arm({ kind: 'drop_socket' })
    await ends(ended)
    expect(last(ended)).toEqual({ kind: 'closed', code: 1006, error: null })
    const closed = await ticking([INFY])
    await arm({ kind: 'drop_socket', how: 'close', code: 1012 })
    await ends(closed)
    expect(last(closed)).toEqual({ kind: 'closed', code: 1012, error: null })
  })

  it('takes only the socket it names, whose number the next one gets', async () => {
    const [first, second] = [await ticking([INFY]), await ticking([INFY])]
    const other = await ticking([INFY], OTHER)
    const before = await view()
    expect(before.map(({ ordinal }) => ordinal)).toEqual([1, 2, 1])
    expect((await arm({ kind: 'drop_socket', user_id: USER.user_id, socket: 1 })).data).toEqual({
      dropped: 1,
    })
    await ends(first)
    await ticking([INFY])
    const after = await view()
    expect(after.filter(({ user_id }) => user_id === USER.user_id).map(({ ordinal }) => ordinal)).toEqual([
      2, 1,
    ])
    await arm({ kind: 'drop_socket', socket: before[1]?.id })
    await ends(second)
    await hears(other)
    expect((await arm({ kind: 'drop_socket', socket: before[1]?.id })).http).toBe(404)
  })
})

describe('mute', () => {
  it('of one socket leaves the others of the account ticking', async () => {
    const [first, second] = [await ticking([INFY]), await ticking([INFY])]
    await arm({ kind: 'mute', user_id: USER.user_id, socket: 2 })
    await second.until(isHushed)
    await hears(first)
  })

  it('of named instruments or segments leaves the others ticking, cached ticks withheld too', async () => {
    const client = await ticking([INFY, NIFTY])
    await arm({ kind: 'mute', tokens: [INFY] })
    // Both tick in every round, so ten of one in a row are proof.
    await client.until((seen) =>
      seen
        .ticks()
        .slice(-10)
        .every((tick) => tick.instrument_token === NIFTY),
    )
    const late = await connected(simulator)
    clients.push(late)
    late.send({ a: 'subscribe', v: [INFY] })
    await late.until(isHushed)
    expect(late.ticks()).toEqual([])
    await call(simulator, 'DELETE', '/sim/faults')
    await arm({ kind: 'mute', segments: ['NSE'] })
    await client.until(isHushed)
  })

  it('can be healed by subscribing again, on its socket and to its instruments', async () => {
    const [first, second] = [await ticking([INFY, NIFTY]), await ticking([INFY])]
    await arm({ kind: 'mute', user_id: USER.user_id, socket: 1, tokens: [INFY], until: 'subscribe' })
    second.send({ a: 'subscribe', v: [INFY] })
    first.send({ a: 'subscribe', v: [NIFTY] })
    await hears(first)
    expect((await call(simulator, 'GET', '/sim/faults')).data).toHaveLength(1)
    const from = first.ticks().length
    first.send({ a: 'subscribe', v: [INFY] })
    await first.until(
      (seen) =>
        seen
          .ticks()
          .slice(from)
          .filter((tick) => tick.instrument_token === INFY).length > 3,
    )
    expect((await call(simulator, 'GET', '/sim/faults')).data).toEqual([])
  })

  it('ends after for_ms', async () => {
    const client = await ticking([INFY])
    await arm({ kind: 'mute', for_ms: 80 })
    await hears(client)
    expect((await call(simulator, 'GET', '/sim/faults')).data).toEqual([])
  })
})

it('silence of one socket withholds heartbeats and pongs, and leaves the other alone', async () => {
  const [first, second] = [await ticking([INFY]), await ticking([INFY])]
  await arm({ kind: 'silence', user_id: USER.user_id, socket: 1 })
  await hears(second)
  const heard = first.received.length
  first.ping()
  second.ping()
  await second.until((seen) => seen.received.some((one) => one.kind === 'pong'))
  await hears(second)
  expect(first.received.length).toBe(heard)
  await call(simulator, 'DELETE', '/sim/faults')
  await hears(first)
  expect(first.received.slice(heard).some((one) => one.kind === 'pong')).toBe(false)
})

describe('bad_frame', () => {
  it('spoils so many frames of the socket and no more, and the socket lives', async () => {
    for (const how of ['truncated', 'garbage', 'unknown_length']) {
      const client = await ticking([INFY])
      const from = client.received.length
      await arm({ kind: 'bad_frame', how, seed: 3, count: 2, user_id: USER.user_id, socket: 1 })
      const frames = () => client.received.slice(from).flatMap((one) => (one.kind === 'ticks' ? [one] : []))
      const spoilt = () => frames().filter(({ bytes }) => bytes.length !== 188)
      await client.until(() => spoilt().length === 2)
      await hears(client)
      expect(spoilt()).toHaveLength(2)
      client.close()
      await until(view, (open) => open.length === 0)
    }
  })
})

describe('the door', () => {
  it('answers 429, so many times', async () => {
    await arm({ kind: 'upgrade_429', user_id: USER.user_id, count: 2 })
    expect([await connect(simulator), await connect(simulator)]).toEqual([429, 429])
    await ticking([INFY])
  })

  it('answers 403 for one account only', async () => {
    await arm({ kind: 'upgrade_403', user_id: USER.user_id })
    await ticking([INFY], OTHER)
    expect(await connect(simulator)).toBe(403)
  })
})

describe('slow_read', () => {
  const read = async () => (await view())[0]?.bytes_read ?? 0
  const padding = 'x'.repeat(10_000)

  it('stops reading what the client says, and goes on when it ends', async () => {
    const client = await ticking([INFY])
    await arm({ kind: 'slow_read' })
    // The fault is seen by the next pulse; what comes before it is still read.
    let before = -1
    for (let stalled = 0; stalled < 5; ) {
      client.sendRaw(padding)
      const now = await read()
      await hears(client)
      stalled = now === before ? stalled + 1 : 0
      before = now
    }
    client.send({ a: 'unsubscribe', v: [INFY] })
    await hears(client)
    await call(simulator, 'DELETE', '/sim/faults')
    await client.until(isHushed)
    expect(await read()).toBeGreaterThan(before)
  })

  it('reads at the pace it is given', async () => {
    const client = await ticking([INFY])
    await arm({ kind: 'slow_read', bytes_per_s: 200_000 })
    const before = await read()
    const startedMs = performance.now()
    for (let sent = 0; sent < 100; sent++) client.sendRaw(padding)
    // Node takes up to 64 kB at once, so two such reads may come early.
    await until(read, (now) => now - before > 500_000)
    expect(performance.now() - startedMs).toBeGreaterThan(1_500)
  })
})

describe('the end of a session', () => {
  it('06:00 IST by the simulated clock closes the sockets opened with its token, and the door', async () => {
    const own = await startTestSimulator()
    const client = await connected(own)
    await call(own, 'POST', '/sim/clock', { set: '2026-11-24T05:59:59+05:30', speed: 50 })
    await ends(client)
    expect(await connect(own)).toBe(403)
    const login = await call(own, 'POST', '/sim/login', { user_id: USER.user_id })
    expect(await connect(own, String(Object(login.data).access_token))).not.toBe(403)
    await own.stop()
  })

  it('can leave the sockets open, at 06:00 and when a token is killed', async () => {
    const own = await startTestSimulator({ rollover: 'keep' })
    const client = await connected(own)
    client.send({ a: 'subscribe', v: [INFY] })
    await call(own, 'POST', '/sim/clock', { set: '2026-11-24T06:00:00+05:30' })
    await hears(client)
    expect(await connect(own)).toBe(403)
    await call(own, 'POST', '/sim/faults', { kind: 'token_dead', sockets: 'close' })
    await ends(client)
    await own.stop()
  })
})
