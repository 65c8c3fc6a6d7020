// The broker's sockets go wrong in every way the simulator knows; ticks come back by themselves, and nobody is told
// that an instrument is live while it is not.
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { logIn, until } from '../../local/seed.ts'
import { openStream, type StreamClient } from '../../local/stream-client.ts'
import { DEMO_USERS } from '../../local/system.ts'
import { socketsAtBroker, subscribedAtBroker } from '../broker-side.ts'
import type { Desk } from '../desk.ts'

/** One connection's worth, and some on the second one. */
const WANTED = 3_100
const PER_CONNECTION = 3_000
const SHARED = 200
const LOWERED = 2_000
/** Promised: subscribed in 2 s, first ticks back within 8 s, silence recovered in 20 s, failover in 15 s. */
const SUBSCRIBED_MS = 10_000
const BACK_MS = 40_000
const RECOVERED_MS = 60_000
const FAILED_OVER_MS = 75_000

const [DEMO, SECOND] = DEMO_USERS
export function brokerSocketFaultSuite(desk: () => Desk) {
  const sockets = (userId: string) => socketsAtBroker(desk(), userId)
  const subscribed = (userId: string) => subscribedAtBroker(desk(), userId)

  describe('broker sockets at fault', () => {
    let pinned: number[]
    let shared: number[]
    let client: StreamClient

    beforeAll(async () => {
      const page = z.object({
        items: z.array(z.object({ instrument_token: z.number() })),
        next_cursor: z.string().nullable(),
      })
      const tokens: number[] = []
      for (let cursor: string | null = ''; cursor !== null && tokens.length < WANTED + SHARED; ) {
        const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
        const read = await desk().api.call(page, 'GET', `/v1/instruments?exchange=NFO&limit=500${query}`)
        tokens.push(...read.items.map((item) => item.instrument_token))
        cursor = read.next_cursor
      }
      pinned = tokens.slice(0, WANTED)
      shared = tokens.slice(WANTED, WANTED + SHARED)
      expect(new Set([...pinned, ...shared]).size).toBe(WANTED + SHARED)
      client = await openStream(desk().api)
      return () => client.close()
    })

    /** Every one of these has ticked after now. */
    async function allTickAgain(tokens: readonly number[], withinMs: number) {
      const from = client.ticks.length
      await until(
        `${tokens.length} instruments tick`,
        async () => {
          const seen = new Set(client.ticks.slice(from).map((tick) => tick.instrument_token))
          return tokens.every((token) => seen.has(token))
        },
        withinMs,
      )
    }
    const said = (op: string, from: number) =>
      client.messages.slice(from).some((message) => message.op === op)
    const saidState = (wanted: string, from: number) =>
      client.messages.slice(from).some((message) => message.op === 'state' && message.state === wanted)

    it('3,100 instruments of one account fill one connection and start another', async () => {
      for (let at = 0; at < pinned.length; at += 1_000)
        await desk().subscribe(pinned.slice(at, at + 1_000), { account_id: 'demo', mode: 'quote' })
      await until(
        'all are subscribed',
        async () => (await subscribed(DEMO.user_id)) === WANTED,
        SUBSCRIBED_MS,
      )
      const counts = (await sockets(DEMO.user_id)).map((each) => each.subscriptions)
      expect(counts.toSorted((a, b) => b - a)).toEqual([PER_CONNECTION, WANTED - PER_CONNECTION])
      client.send({ op: 'subscribe', instruments: pinned.slice(0, 3_000), delivery: 'latest', mode: 'ltp' })
      await allTickAgain(pinned.slice(0, 3_000), BACK_MS)
    })

    it('row 1: a reset: clients hear that it is stale, then of the gap; every instrument ticks again', async () => {
      const from = client.messages.length
      await desk().fault('drop_socket', { user_id: DEMO.user_id, socket: 1, how: 'rst' })
      await until('stale', async () => saidState('stale', from), 5_000)
      await until('the gap marker', async () => said('gap', from), BACK_MS)
      await allTickAgain(pinned.slice(0, 3_000), BACK_MS)
      expect(await subscribed(DEMO.user_id)).toBe(WANTED)
    })

    it('row 2: ticks stop while heartbeats go on: subscribing again heals it without a reconnect', async () => {
      const before = (await sockets(DEMO.user_id)).map((each) => each.id)
      const from = client.messages.length
      await desk().fault('mute', { user_id: DEMO.user_id, socket: 1, until: 'subscribe' })
      await until('stale', async () => saidState('stale', from), RECOVERED_MS)
      await until('live', async () => saidState('live', from), RECOVERED_MS)
      await until('the gap marker', async () => said('gap', from))
      // One more may have opened for what clients hold meanwhile.
      expect((await sockets(DEMO.user_id)).map((each) => each.id)).toEqual(expect.arrayContaining(before))
    })

    it('row 2: ticks stay away: the socket is made anew', async () => {
      const muted = (await sockets(DEMO.user_id)).find((each) => each.subscriptions === PER_CONNECTION)
      await desk().fault('mute', { user_id: DEMO.user_id, socket: muted?.id })
      await until(
        'another socket serves',
        async () => !(await sockets(DEMO.user_id)).some((each) => each.id === muted?.id),
        RECOVERED_MS,
      )
      await allTickAgain(pinned.slice(0, 3_000), BACK_MS)
    })

    it('row 3: no frames at all: reconnected', async () => {
      const dead = (await sockets(DEMO.user_id)).find((each) => each.subscriptions === PER_CONNECTION)
      await desk().fault('silence', { user_id: DEMO.user_id, socket: dead?.id, for_ms: 60_000 })
      await until(
        'another socket serves',
        async () => !(await sockets(DEMO.user_id)).some((each) => each.id === dead?.id),
        RECOVERED_MS,
      )
      await allTickAgain(pinned.slice(0, 3_000), BACK_MS)
    })

    it('row 7: spoilt frames cost their packets and are counted; the sockets survive', async () => {
      const before = (await sockets(DEMO.user_id)).map((each) => each.id)
      await desk().simulator('DELETE', '/sim/faults')
      const counted = async () => [
        await desk().metric('ticker_frames_malformed_total'),
        await desk().metric('ticker_packets_dropped_total'),
      ]
      // Few enough that no connection is without good ticks for so long that it is recovered.
      for (const [seed, how] of ['truncated', 'garbage', 'unknown_length'].entries())
        await desk().fault('bad_frame', { how, seed, count: 3, user_id: DEMO.user_id })
      await until(
        'all are spoilt and counted',
        async () =>
          z.array(z.unknown()).parse(await desk().simulator('GET', '/sim/faults')).length === 0 &&
          (await counted()).every((count) => count > 0),
      )
      await allTickAgain(pinned.slice(0, 3_000), BACK_MS)
      // One more may have opened for what clients hold meanwhile.
      expect((await sockets(DEMO.user_id)).map((each) => each.id)).toEqual(expect.arrayContaining(before))
    })

    it('row 9: an account loses its session: its unpinned instruments flow through the other one', async () => {
      await desk().subscribe(shared, { mode: 'ltp' })
      await until('both accounts serve', async () => (await subscribed(SECOND.user_id)) > 0)
      client.send({ op: 'unsubscribe', instruments: pinned.slice(0, 3_000) })
      client.send({ op: 'subscribe', instruments: shared, delivery: 'every', mode: 'ltp' })
      await allTickAgain(shared, BACK_MS)
      const from = client.messages.length
      await desk().fault('token_dead', { user_id: SECOND.user_id, sockets: 'close' })
      await until(
        'the other account serves all',
        async () => (await subscribed(DEMO.user_id)) === WANTED + SHARED,
        FAILED_OVER_MS,
      )
      await until('the gap marker', async () => said('gap', from))
      await allTickAgain(shared, BACK_MS)
      expect(client.messages.slice(from).filter((message) => message.op === 'gap')).toHaveLength(1)
    })

    it('row 5: what waits for a login makes the process unfit; the login is used without a restart', async () => {
      const pid = desk().system.dataPlane.pid()
      await desk().subscribe(shared.slice(0, 1), { account_id: 'second', source: 'pinned' })
      const unfit = async () => (await fetch(`${desk().system.opsUrl}/readyz`)).text()
      await until('it says so', async () => (await unfit()).includes('1 subscribed instruments do not tick'))
      await logIn(desk().api, 'second', SECOND.user_id)
      await until('the account serves again', async () => (await subscribed(SECOND.user_id)) > 0, BACK_MS)
      await until('it is ready', desk().isReady, BACK_MS)
      await allTickAgain(shared, BACK_MS)
      expect(desk().system.dataPlane.pid()).toBe(pid)
    })

    it('a lower limit of the account moves what no longer fits: no reconnect, no gap, nobody notices', async () => {
      const held = pinned.slice(0, 2_700)
      client.send({ op: 'subscribe', instruments: held, delivery: 'every', mode: 'ltp' })
      await allTickAgain(held, BACK_MS)
      const before = await sockets(DEMO.user_id)
      const from = client.messages.length
      await desk().api.call(z.unknown(), 'PATCH', '/v1/accounts/demo', {
        max_instruments_per_connection: LOWERED,
      })
      await until(
        'no socket has more',
        async () => (await sockets(DEMO.user_id)).every((each) => each.subscriptions <= LOWERED),
        BACK_MS,
      )
      const after = await sockets(DEMO.user_id)
      const total = before.reduce((sum, each) => sum + each.subscriptions, 0)
      expect(after.reduce((sum, each) => sum + each.subscriptions, 0)).toBe(total)
      expect(after.map((each) => each.id)).toEqual(expect.arrayContaining(before.map((each) => each.id)))
      await allTickAgain(held, BACK_MS)
      expect([said('gap', from), said('state', from)]).toEqual([false, false])
    })
  })
}
