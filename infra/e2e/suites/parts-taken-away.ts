// Redis stopped, the data plane killed: what was promised goes on, and the rest comes back by itself.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { percentile } from '../../bench/measure.ts'
import { until } from '../../local/seed.ts'
import { openStream, type StreamClient } from '../../local/stream-client.ts'
import type { Desk } from '../desk.ts'
import { writeRecording } from '../recording.ts'

/** Promised: 3 s. */
const APPLIED_WITHOUT_REDIS_MS = 15_000
/** Promised: 300 ms at p99. */
const WRITE_WHILE_OPEN_P99_MS = 1_500
const WRITES = 50
/** Promised: 5 s, of which the Worker's breaker waits up to 2 s. */
const BACK_WITH_REDIS_MS = 25_000
/** Promised: 20 s, of which the killed process's lease takes up to 10 s. */
const BACK_AFTER_KILL_MS = 100_000
const FAILURES_TO_OPEN = 5
/** SBIN trades about 860. */
const SBIN = 779_521

export function partsTakenAwaySuite(desk: () => Desk) {
  describe('parts taken away', () => {
    it('row 13: Redis stopped: changes are accepted and their ticks arrive; the breaker opens', async () => {
      const client = await openStream(desk().api)
      await desk().system.redis.stop()
      try {
        await appliedInTime(client, 'BSE:SENSEX')
        for (let n = 0; n < FAILURES_TO_OPEN; n++) {
          await desk().subscribe(['BSE:SENSEX'], { source: `failure-${n}` })
        }
        await until(
          'the breaker is open',
          async () => (await desk().fleet()).command_channel.breaker === 'open',
        )
        const tookMs: number[] = []
        for (let n = 0; n < WRITES; n++) {
          const startedMs = performance.now()
          await desk().subscribe(['BSE:SENSEX'], {
            source: 'while-open',
            mode: n % 2 === 0 ? 'ltp' : 'quote',
          })
          tookMs.push(performance.now() - startedMs)
        }
        expect(percentile(tookMs, 99)).toBeLessThan(WRITE_WHILE_OPEN_P99_MS)
        await appliedInTime(client, 'BSE:BANKEX')
        const readiness = await fetch(`${desk().system.controlPlaneUrl}/readyz`)
        expect([readiness.status, await readiness.text()]).toEqual([
          503,
          expect.stringContaining('Redis fails'),
        ])
      } finally {
        client.close()
        await desk().system.redis.start()
      }
    })

    it('row 15: Redis back and empty: ticks are published again, questions answered, without a restart', async () => {
      const pid = desk().system.dataPlane.pid()
      const startedMs = performance.now()
      const leftMs = () => BACK_WITH_REDIS_MS - (performance.now() - startedMs)
      const before = await desk().metric('ticker_publish_ticks_total')
      await until(
        'publishing goes on',
        async () => (await desk().metric('ticker_publish_ticks_total')) > before,
        leftMs(),
      )
      await until('a question is answered', async () => (await desk().instance()).uptime_s > 0, leftMs())
      expect(desk().system.dataPlane.pid()).toBe(pid)
    })

    it('row 10: the data plane killed: ticks, orders and later fills come back by themselves', async () => {
      const resting = (price: number) => desk().place({ tradingsymbol: 'SBIN', price })
      const [filledMeanwhile, filledLater] = [await resting(500), await resting(400)]
      const status = (order: { id: string }) => desk().brokerStatus(order.id)
      await until('both rest', async () =>
        [await status(filledMeanwhile), await status(filledLater)].every((each) => each === 'OPEN'),
      )
      const client = await openStream(desk().api)
      desk().system.dataPlane.kill('SIGKILL')
      await until('it is down', async () => !desk().system.dataPlane.isRunning())
      await until('its clients notice', async () => client.closedBy() !== undefined)
      await play('meanwhile', 450)
      await desk().system.dataPlane.start()
      await until('it is ready', desk().isReady, BACK_AFTER_KILL_MS)

      const again = await openStream(desk().api)
      again.send({ op: 'subscribe', instruments: ['NSE:INFY'], delivery: 'every' })
      await until('ticks are back', async () => again.ticks.length > 0, BACK_AFTER_KILL_MS)
      again.close()
      await until('the fill it missed is found', async () => (await status(filledMeanwhile)) === 'COMPLETE')
      expect(await status(filledLater)).toBe('OPEN')
      await play('later', 350)
      await until('the later fill arrives', async () => (await status(filledLater)) === 'COMPLETE')
      await desk().simulator('DELETE', '/sim/replay')
      const next = await desk().place({ price: 1_600 })
      await until('orders go on', async () => (await status(next)) === 'COMPLETE')
    })

    it('the command channel recovers: the Worker is ready again', async () => {
      await until('ready', async () => (await fetch(`${desk().system.controlPlaneUrl}/readyz`)).ok)
      expect((await desk().fleet()).command_channel.breaker).toBe('closed')
      expect((await desk().instance()).uptime_s).toBeGreaterThan(0)
    })

    /** Not subscribed until the data plane looks again by itself: the client asks until it says otherwise. */
    async function appliedInTime(client: StreamClient, instrument: string) {
      await desk().subscribe([instrument])
      const from = client.ticks.length
      await until(
        `${instrument} ticks`,
        async () => {
          client.send({ op: 'subscribe', instruments: [instrument], delivery: 'every' })
          return client.ticks.length > from
        },
        APPLIED_WITHOUT_REDIS_MS,
      )
      client.send({ op: 'unsubscribe', instruments: [instrument] })
    }

    /** SBIN goes to a price. */
    async function play(name: string, price: number) {
      const { path } = await writeRecording(join(desk().stateDir, `${name}.csv.gz`), [[SBIN, price]])
      await desk().simulator('POST', '/sim/replay', { path, start: 'now' })
    }
  })
}
