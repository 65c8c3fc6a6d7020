// Subscribes instruments on a stream until the very next tick of each of them would arrive.
import { z } from 'zod'
import type { StreamClient } from './stream-client.ts'

export interface SubscribeBounds {
  /** In all. A fresh start has a whole dump to load first. */
  timeoutMs: number
  /** From one try to the next. */
  everyMs: number
}

const BOUNDS: SubscribeBounds = { timeoutMs: 60_000, everyMs: 500 }
const LOOK_MS = 20

const listing = z.object({
  op: z.literal('subscribed'),
  id: z.number(),
  instruments: z.array(z.object({ instrument_token: z.number(), state: z.string() })),
})
const snapshot = z.object({ op: z.literal('snapshot'), pending: z.literal(0) })

/** Right after a start the answer is that they are unknown, then that nobody streams them: the data plane has yet to
 * read the instruments and the wish. Resolves when one try is answered with all of them live or waiting, and has its
 * snapshot whole: what ticks from then on comes as a tick. Each try begins anew, so that a snapshot is of that try. */
export async function subscribeAll(
  client: Pick<StreamClient, 'messages' | 'send' | 'closedBy'>,
  tokens: readonly number[],
  bounds: SubscribeBounds = BOUNDS,
): Promise<void> {
  const deadline = Date.now() + bounds.timeoutMs
  let missing: readonly number[] = tokens
  for (let id = 1; Date.now() < deadline; id++) {
    const from = client.messages.length
    if (client.closedBy() === undefined) {
      client.send({ op: 'unsubscribe', instruments: tokens })
      client.send({ op: 'subscribe', id, instruments: tokens, mode: 'ltp', delivery: 'every' })
    }
    const nextTry = Math.min(deadline, Date.now() + bounds.everyMs)
    while (Date.now() < nextTry) {
      if (client.closedBy() !== undefined) throw new Error(`the stream was closed: ${client.closedBy()}`)
      const answered = answerTo(id, client.messages.slice(from))
      if (answered) missing = tokens.filter((token) => !answered.flowing.has(token))
      if (answered?.whole && missing.length === 0) return
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
    }
  }
  const said = client.messages.findLast(({ op }) => op === 'subscribed' || op === 'error')
  throw new Error(
    `${missing.length} of the recording's ${tokens.length} instruments are not streamed after ${bounds.timeoutMs / 1000} s` +
      `${missing.length > 0 ? `, among them ${missing[0]}` : ''}; ` +
      `the stream's last answer: ${JSON.stringify(said)?.slice(0, 500)}`,
  )
}

function answerTo(id: number, messages: readonly unknown[]) {
  for (const [index, message] of messages.entries()) {
    const { success, data } = listing.safeParse(message)
    if (!success || data.id !== id) continue
    const flowing = data.instruments.filter(({ state }) => state === 'live' || state === 'waiting')
    return {
      flowing: new Set(flowing.map(({ instrument_token }) => instrument_token)),
      whole: messages.slice(index + 1).some((later) => snapshot.safeParse(later).success),
    }
  }
  return undefined
}
