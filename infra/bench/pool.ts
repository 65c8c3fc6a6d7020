// The broker sockets of a running system: how soon 3,000 instruments are subscribed after they are asked for, and
// how soon each ticks again at a stream client after the broker reset their socket (RELIABILITY row 1).
import { z } from 'zod'
import { subscribedAtBroker } from '../e2e/broker-side.ts'
import { runSystem } from '../e2e/running-system.ts'
import { watchStream } from '../e2e/stream-watch.ts'
import { until } from '../local/seed.ts'
import { DEMO_USERS } from '../local/system.ts'
import { derivatives } from './bench-system.ts'
import { median, percentile, type Row } from './measure.ts'

const INSTRUMENTS = 3_000
const PER_CALL = 1_000
const ROUNDS = 5
const BACK_MS_MAX = 120_000
export async function pool(): Promise<Row[]> {
  const running = await runSystem(['--no-delays', '--no-rate-limits'])
  try {
    const wanted = await derivatives(running, INSTRUMENTS)
    const atBroker = () => subscribedAtBroker(running)
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
    const watch = await watchStream(running.api, wanted)
    for (let round = 0; round < ROUNDS; round += 1) {
      watch.begin()
      await running.fault('drop_socket', { user_id: DEMO_USERS[0].user_id, how: 'rst' })
      backMs.push(percentile(await watch.back(BACK_MS_MAX), 99))
    }
    watch.close()
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
