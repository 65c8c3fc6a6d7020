// Two months of minutes as the broker sends them, read by getHistory and, beside it, at once by JSON.parse: how long each
// takes, and how long whoever has ticks to carry meanwhile stands still.
import { Secret } from '@ticker/shared/crypto'
import { addDays } from '@ticker/shared/domain'
import { getHistory } from '@ticker/shared/kite-http'
import { median, type Row, rounded } from './measure.ts'

const [DAYS, MINUTES, OPENING] = [60, 375, 555]
/** As they come from a socket. */
const CHUNK_BYTES = 16 * 1024
const [ROUNDS, WARM_UP] = [30, 10]

export async function history(): Promise<Row[]> {
  const bytes = new TextEncoder().encode(bodyOf())
  const http = { root: 'http://broker', timeoutMs: 60_000, fetch: async () => new Response(inChunks(bytes)) }
  const credentials = { api_key: 'key', access_token: new Secret('token') }
  const request = {
    ...{ instrument_token: 408065, interval: 'minute', continuous: false },
    ...{ fromDay: '2026-01-01', toDay: addDays('2026-01-01', DAYS - 1) },
  }
  const readers = {
    whole: async () => void JSON.parse(await new Response(inChunks(bytes)).text()),
    pieces: async () => {
      const outcome = await getHistory(http, credentials, request)
      if (!outcome.ok || outcome.data.size !== DAYS) throw new Error('not read')
    },
  }
  const measured = { whole: { tookMs: [0], stoodMs: [0] }, pieces: { tookMs: [0], stoodMs: [0] } }
  for (let round = -WARM_UP; round < ROUNDS; round++)
    for (const name of ['whole', 'pieces'] as const) {
      const { tookMs, stoodMs } = await watched(readers[name])
      if (round < 0) continue
      measured[name].tookMs[round] = tookMs
      measured[name].stoodMs[round] = stoodMs
    }
  const row = (what: string, each: { tookMs: number[]; stoodMs: number[] }, target: string): Row => ({
    what: `${what}: ${rounded(DAYS * MINUTES)} candles, ${(bytes.length / 1e6).toFixed(1)} MB`,
    value: `${median(each.tookMs).toFixed(1)} ms; stands still ${median(each.stoodMs).toFixed(2)} ms at the most`,
    target,
  })
  return [
    row('history read at once by JSON.parse (baseline)', measured.whole, ''),
    row('history read in pieces', measured.pieces, 'stands still < 5 ms'),
  ]
}

/** How long it took, and the longest time between two turns of the event loop in it. */
async function watched(work: () => Promise<void>): Promise<{ tookMs: number; stoodMs: number }> {
  const startedMs = performance.now()
  let [lastMs, stoodMs, isDone] = [startedMs, 0, false]
  function turn() {
    const nowMs = performance.now()
    stoodMs = Math.max(stoodMs, nowMs - lastMs)
    lastMs = nowMs
    if (!isDone) setImmediate(turn)
  }
  setImmediate(turn)
  await work()
  isDone = true
  turn()
  return { tookMs: performance.now() - startedMs, stoodMs }
}

function inChunks(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.slice(at, at + CHUNK_BYTES))
      at += CHUNK_BYTES
    },
  })
}

function bodyOf(): string {
  const rows: string[] = []
  for (let day = 0; day < DAYS; day++)
    for (let minute = OPENING; minute < OPENING + MINUTES; minute++) {
      const two = (value: number) => String(value).padStart(2, '0')
      const time = `${addDays('2026-01-01', day)}T${two(Math.floor(minute / 60))}:${two(minute % 60)}:00+0530`
      const price = 1_500 + ((day * 31 + minute * 7) % 997) / 20
      rows.push(`["${time}",${price},${price + 0.5},${price - 0.5},${price},${minute * 100},0]`)
    }
  return `{"status":"success","data":{"candles":[${rows.join(',')}]}}`
}
