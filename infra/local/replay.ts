// Plays a recording through the whole system and counts what a /v1/stream client in `every` mode receives:
// every row of the file, none twice, in order.
import { z } from 'zod'
import { readRecording } from './recording.ts'
import { compare, type ReplayCount } from './replay-count.ts'
import { type ApiClient, until } from './seed.ts'
import { openStream } from './stream-client.ts'
import { subscribeAll } from './subscribe-all.ts'
import type { LocalSystem } from './system.ts'

interface ReplayOptions {
  system: Pick<LocalSystem, 'simulatorUrl'>
  api: ApiClient
  file: string
  speed: number
  report(line: string): void
}

const PROGRESS_MS = 10_000
/** A fresh start has a whole dump to load first; then the broker's socket must have them too. */
const SUBSCRIBED_MS = 60_000
/** After the last row was sent, how long to wait for it to arrive. */
const ARRIVAL_MS = 15_000

export async function runReplay(options: ReplayOptions): Promise<ReplayCount> {
  const { api, report, system } = options
  const recording = await readRecording(options.file)
  const tokens = [...recording.keys()]
  const rows = [...recording.values()].reduce((sum, prices) => sum + prices.length, 0)
  if (rows === 0) throw new Error(`${options.file} holds no rows of timestamp,token,ltp`)

  const tell = (start: 'when_told' | 'now') =>
    tellReplay(system.simulatorUrl, { path: options.file, speed: options.speed, start })
  await tell('when_told')
  // Asking for them on the stream subscribes them. Rows played before they are at the stream and at the broker's socket
  // would reach the client as its snapshot, or not at all.
  const client = await openStream(api)
  await subscribeAll(client, tokens)
  await until(
    "the recording's instruments are subscribed at the broker",
    async () => (await replayState(system.simulatorUrl))?.watched === tokens.length,
    SUBSCRIBED_MS,
  )
  await tell('now')
  report(`replaying ${rows} rows of ${tokens.length} instrument(s) at ${options.speed}×`)

  const received = () => client.ticks.filter((tick) => recording.has(tick.instrument_token))
  let reportedMs = Date.now()
  let sent = 0
  let forgotten = false
  await until(
    'the replay ends',
    async () => {
      if (Date.now() - reportedMs > PROGRESS_MS) {
        reportedMs = Date.now()
        report(`received ${received().length} of ${rows}`)
      }
      if (client.closedBy() !== undefined) return true
      const state = await replayState(system.simulatorUrl)
      forgotten = state === null || state.sent < sent
      sent = state?.sent ?? 0
      return forgotten || sent >= rows
    },
    86_400_000,
  )
  if (forgotten) throw new Error('the simulator was started again while the recording played')
  if (client.closedBy() !== undefined) throw new Error(`the stream was closed: ${client.closedBy()}`)
  await until('the last row arrives', async () => received().length >= rows, ARRIVAL_MS).catch(() => {})
  client.close()
  await endReplay(system.simulatorUrl)
  const count = compare(recording, received())
  report(
    `rows ${count.rows}  received ${count.received}  duplicates ${count.duplicates}  out of order ${count.outOfOrder}  different ${count.different}`,
  )
  return count
}

/** Its instruments trade again as all others do; what was only in the recording stays an instrument. */
export async function endReplay(simulatorUrl: string): Promise<void> {
  await fetch(`${simulatorUrl}/sim/replay`, { method: 'DELETE' })
}

const replaySchema = z.object({ data: z.object({ sent: z.number(), watched: z.number() }).nullable() })

async function replayState(root: string) {
  return replaySchema.parse(await (await fetch(`${root}/sim/replay`)).json()).data
}

async function tellReplay(
  root: string,
  body: { path: string; speed: number; start: 'when_told' | 'now' },
): Promise<void> {
  const response = await fetch(`${root}/sim/replay`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!response.ok) throw new Error(`the simulator refused the recording: ${await response.text()}`)
}
