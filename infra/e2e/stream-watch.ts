// A stream client under a fault: when all it holds was said to be stale, how many gaps it was told of, and when each
// instrument that was stale ticked for the first time after a gap.
import { z } from 'zod'
import { type ApiClient, until } from '../local/seed.ts'
import { openStream, type StreamMessage } from '../local/stream-client.ts'

const stateChange = z.object({ state: z.string(), instrument_tokens: z.array(z.number()) })

export interface StreamWatch {
  /** Forgets what it saw; times count from here. */
  begin(): void
  elapsedMs(): number
  /** How long it took until every instrument was said to be stale. */
  stale(): Promise<number>
  /** How long it took until each instrument that was stale ticked after a gap. */
  back(timeoutMs: number): Promise<number[]>
  gaps(): number
  close(): void
}

/** Ready when it has a tick of each instrument. */
export async function watchStream(api: ApiClient, tokens: readonly number[]): Promise<StreamWatch> {
  let startedMs = performance.now()
  let counting = true
  let gaps = 0
  let staleMs = Number.NaN
  const stale = new Set<number>()
  let affected = new Set(tokens)
  const firstTickMs = new Map<number, number>()
  const elapsedMs = () => performance.now() - startedMs

  function take(message: StreamMessage) {
    if (message.op === 'gap') {
      gaps += 1
      counting = true
    } else if (counting && message.ticks) {
      for (const { instrument_token: token } of message.ticks)
        if (!firstTickMs.has(token)) firstTickMs.set(token, elapsedMs())
    } else if (message.op === 'state') {
      const { state, instrument_tokens } = stateChange.parse(message)
      for (const token of instrument_tokens) {
        if (state === 'stale') {
          stale.add(token)
          affected.add(token)
        } else stale.delete(token)
      }
      if (stale.size === tokens.length && Number.isNaN(staleMs)) staleMs = elapsedMs()
    }
  }

  const client = await openStream(api, take)
  client.send({ op: 'subscribe', instruments: tokens, mode: 'ltp', delivery: 'every' })
  const allTick = () => [...affected].every((token) => firstTickMs.has(token))
  await until('there is a tick of each', async () => allTick(), 60_000)

  return {
    elapsedMs,
    begin() {
      client.ticks.length = 0
      firstTickMs.clear()
      affected = new Set(stale)
      staleMs = Number.NaN
      gaps = 0
      counting = false
      startedMs = performance.now()
    },
    async stale() {
      await until('all are said to be stale', async () => !Number.isNaN(staleMs))
      return staleMs
    },
    async back(timeoutMs) {
      // What is not said to be live again cannot be said to be stale the next time.
      const isBack = () => affected.size > 0 && stale.size === 0 && allTick()
      await until('all tick again', async () => isBack(), timeoutMs)
      return [...affected].map((token) => firstTickMs.get(token) ?? Number.NaN)
    },
    gaps: () => gaps,
    close: client.close,
  }
}
