// Ticks at a fixed rate from the simulator, counted on the way: what is sent, and what a stream client gets of it. A
// tick of the load makes its instrument's volume one lot more, so that a missing one shows.
import { z } from 'zod'
import { percentile } from '../bench/measure.ts'
import type { Desk } from '../e2e/desk.ts'
import { until } from '../local/seed.ts'
import { openStream } from '../local/stream-client.ts'

const rate = z.object({ running: z.boolean(), sent: z.object({ ticks: z.number() }) })
const tick = z.object({ volume_traded: z.number(), received_ms: z.number() })

export interface SteadyLoad {
  /** Ends it and waits until the data plane has all of it. */
  end(): Promise<{ sentTicks: number; receivedTicks: number }>
}

export async function startLoad(desk: Desk, ticksPerS: number): Promise<SteadyLoad> {
  const received = async () => (await desk.metric('ticker_ticks_received_total')) || 0
  const before = await received()
  await desk.simulator('POST', '/sim/rate', { ticks_per_s: ticksPerS })
  return {
    async end() {
      await desk.simulator('DELETE', '/sim/rate')
      const { sent } = rate.parse(await desk.simulator('GET', '/sim/rate'))
      let receivedTicks = 0
      await until('all sent is received', async () => {
        receivedTicks = (await received()) - before
        return receivedTicks >= sent.ticks
      })
      return { sentTicks: sent.ticks, receivedTicks }
    },
  }
}

export interface TickCount {
  /** Since the last call: ticks, those missing between them, gap markers, and how old ticks were when they came. */
  take(): { ticks: number; missing: number; gaps: number; ageP99Ms: number }
  close(): void
}

/** On the instruments' every tick. */
export async function countTicks(desk: Desk, tokens: readonly number[]): Promise<TickCount> {
  const volumes = new Map<number, number>()
  const lots = new Map<number, number>()
  let [ticks, missing, gaps] = [0, 0, 0]
  let agesMs: number[] = []
  const client = await openStream(desk.api, (message) => {
    if (message.op === 'gap') gaps += 1
    if (message.op !== 'ticks') return
    const nowMs = Date.now()
    for (const each of message.ticks ?? []) {
      const { volume_traded, received_ms } = tick.parse(each)
      const token = each.instrument_token
      const step = volume_traded - (volumes.get(token) ?? Number.NaN)
      volumes.set(token, volume_traded)
      ticks += 1
      agesMs.push(nowMs - received_ms)
      if (Number.isNaN(step)) continue
      if (!lots.has(token)) lots.set(token, step)
      if (step !== lots.get(token)) missing += 1
    }
  })
  client.send({ op: 'subscribe', instruments: tokens, mode: 'quote', delivery: 'every' })
  return {
    take() {
      const taken = { ticks, missing, gaps, ageP99Ms: percentile(agesMs, 99) }
      ;[ticks, missing, gaps, agesMs] = [0, 0, 0, []]
      client.ticks.length = 0
      return taken
    },
    close: client.close,
  }
}
