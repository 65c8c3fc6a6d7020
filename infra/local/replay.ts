// Plays a recording through the whole system and counts what a /v1/stream client in `every` mode receives:
// every row of the file, none twice, in order.
import { z } from 'zod'
import { readRecording } from './recording.ts'
import { type ApiClient, until } from './seed.ts'
import { openStream, type StreamTick } from './stream-client.ts'
import type { LocalSystem } from './system.ts'

export interface ReplayCount {
  rows: number
  received: number
  duplicates: number
  outOfOrder: number
  /** Rows whose price is not the one received at their place. */
  different: number
}

interface ReplayOptions {
  system: Pick<LocalSystem, 'simulatorUrl'>
  api: ApiClient
  file: string
  speed: number
  report(line: string): void
}

const PROGRESS_MS = 10_000
/** After the last row was sent, how long to wait for it to arrive. */
const ARRIVAL_MS = 15_000

export async function runReplay(options: ReplayOptions): Promise<ReplayCount> {
  const { api, report, system } = options
  const recording = await readRecording(options.file)
  const tokens = [...recording.keys()]
  const rows = [...recording.values()].reduce((sum, prices) => sum + prices.length, 0)
  if (rows === 0) throw new Error(`${options.file} holds no rows of timestamp,token,ltp`)

  const client = await openStream(api)
  // Snapshots before the first row is played: a row played earlier would reach the client as its snapshot.
  client.send({ op: 'subscribe', instruments: tokens, mode: 'ltp', delivery: 'every' })
  await until('the recording’s instruments are streamed to it', async () =>
    client.messages.some(({ op, pending }) => op === 'snapshot' && pending === 0),
  )
  await startReplay(system.simulatorUrl, { path: options.file, speed: options.speed, start: 'on_subscribe' })
  report(`replaying ${rows} rows of ${tokens.length} instrument(s) at ${options.speed}×`)

  const received = () => client.ticks.filter((tick) => recording.has(tick.instrument_token))
  let reportedMs = Date.now()
  await until(
    'the replay ends',
    async () => {
      if (Date.now() - reportedMs > PROGRESS_MS) {
        reportedMs = Date.now()
        report(`received ${received().length} of ${rows}`)
      }
      return client.closedBy() !== undefined || (await replayState(system.simulatorUrl)).sent >= rows
    },
    86_400_000,
  )
  if (client.closedBy() !== undefined) throw new Error(`the stream was closed: ${client.closedBy()}`)
  await until('the last row arrives', async () => received().length >= rows, ARRIVAL_MS).catch(() => {})
  client.close()
  const count = compare(recording, received())
  report(
    `rows ${count.rows}  received ${count.received}  duplicates ${count.duplicates}  out of order ${count.outOfOrder}  different ${count.different}`,
  )
  return count
}

/** Compares instrument by instrument, place by place. */
export function compare(recording: ReadonlyMap<number, number[]>, ticks: readonly StreamTick[]): ReplayCount {
  const seen = new Set<number>()
  let [duplicates, outOfOrder, different, lastSeq] = [0, 0, 0, 0]
  const places = new Map<number, number>()
  for (const tick of ticks) {
    if (seen.has(tick.seq)) duplicates += 1
    if (tick.seq < lastSeq) outOfOrder += 1
    seen.add(tick.seq)
    lastSeq = tick.seq
    const place = places.get(tick.instrument_token) ?? 0
    places.set(tick.instrument_token, place + 1)
    const expected = recording.get(tick.instrument_token)?.[place]
    if (expected === undefined || Math.abs(expected - tick.last_price) > 0.001) different += 1
  }
  const rows = [...recording.values()].reduce((sum, prices) => sum + prices.length, 0)
  return { rows, received: ticks.length, duplicates, outOfOrder, different }
}

const replaySchema = z.object({ data: z.object({ rows: z.number(), sent: z.number(), state: z.string() }) })

async function replayState(root: string) {
  return replaySchema.parse(await (await fetch(`${root}/sim/replay`)).json()).data
}

async function startReplay(
  root: string,
  body: { path: string; speed: number; start: 'on_subscribe' },
): Promise<void> {
  const response = await fetch(`${root}/sim/replay`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`the simulator refused the recording: ${await response.text()}`)
}
