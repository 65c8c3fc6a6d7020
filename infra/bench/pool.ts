// The broker sockets of a running system: how soon 3,000 instruments are subscribed after they are asked for, and
// how soon each ticks again at a stream client after the broker reset their socket (RELIABILITY row 1).
import { z } from 'zod'
import { runSystem } from '../e2e/running-system.ts'
import { until } from '../local/seed.ts'
import { openStream } from '../local/stream-client.ts'
import { DEMO_USERS } from '../local/system.ts'
import { median, percentile, type Row } from './measure.ts'

const INSTRUMENTS = 3_000
const PER_CALL = 1_000
const ROUNDS = 5
const page = z.object({
  items: z.array(z.object({ instrument_token: z.number() })),
  next_cursor: z.string().nullable(),
})
const state = z.object({ sockets: z.array(z.object({ subscriptions: z.number() })) })

export async function pool(): Promise<Row[]> {
  const running = await runSystem(['--no-delays', '--no-rate-limits'])
  try {
    const tokens: number[] = []
    for (let cursor: string | null = ''; cursor !== null && tokens.length < INSTRUMENTS; ) {
      const query: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`
      const read = await running.api.call(page, 'GET', `/v1/instruments?exchange=NFO&limit=500${query}`)
      tokens.push(...read.items.map((item) => item.instrument_token))
      cursor = read.next_cursor
    }
    const wanted = tokens.slice(0, INSTRUMENTS)
    const atBroker = async () => {
      const { sockets } = state.parse(await running.simulator('GET', '/sim/state'))
      return sockets.reduce((sum, socket) => sum + socket.subscriptions, 0)
    }
    const subscribedMs: number[] = []
    for (let round = 0; round < ROUNDS; round += 1) {
      const startedMs = performance.now()
      for (let at = 0; at < wanted.length; at += PER_CALL) {
        const instruments = wanted.slice(at, at + PER_CALL)
        await running.api.call(z.unknown(), 'PUT', '/v1/subscriptions', { instruments, mode: 'full' })
      }
      await until('all are subscribed', async () => (await atBroker()) === INSTRUMENTS)
      subscribedMs.push(performance.now() - startedMs)
      if (round === ROUNDS - 1) break
      for (let at = 0; at < wanted.length; at += PER_CALL) {
        const instruments = wanted.slice(at, at + PER_CALL)
        await running.api.call(z.unknown(), 'DELETE', '/v1/subscriptions', { instruments })
      }
      await until('none is subscribed', async () => (await atBroker()) === 0)
    }
    const backMs: number[] = []
    let seen = new Map<number, number>()
    let countFrom = Number.POSITIVE_INFINITY
    const client = await openStream(running.api, (message) => {
      if (message.op === 'gap') countFrom = 0
      if (message.op !== 'ticks' || countFrom > 0) return
      const nowMs = performance.now()
      for (const tick of message.ticks ?? []) {
        if (!seen.has(tick.instrument_token)) seen.set(tick.instrument_token, nowMs)
      }
    })
    client.send({ op: 'subscribe', instruments: wanted, mode: 'ltp', delivery: 'every' })
    await until('ticks', async () => client.ticks.length > 0)
    for (let round = 0; round < ROUNDS; round += 1) {
      seen = new Map()
      countFrom = Number.POSITIVE_INFINITY
      const startedMs = performance.now()
      await running.fault('drop_socket', { user_id: DEMO_USERS[0].user_id, how: 'rst' })
      await until('all tick again', async () => seen.size === INSTRUMENTS, 120_000)
      backMs.push(
        percentile(
          [...seen.values()].map((atMs) => atMs - startedMs),
          99,
        ),
      )
      client.ticks.length = 0
    }
    client.close()
    const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
    return [
      {
        what: 'pool, 3,000 instruments asked for in three calls → subscribed at the broker, median / worst of 5',
        value: `${seconds(median(subscribedMs))} / ${seconds(Math.max(...subscribedMs))}`,
        target: '< 2 s',
      },
      {
        what: 'pool, socket reset → first tick of 3,000 instruments at a stream client, p99, median / worst of 5',
        value: `${seconds(median(backMs))} / ${seconds(Math.max(...backMs))}`,
        target: '≤ 8 s',
      },
    ]
  } finally {
    await running.stop()
  }
}
