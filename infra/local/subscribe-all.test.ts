import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { StreamMessage } from './stream-client.ts'
import { subscribeAll } from './subscribe-all.ts'

const [NIFTY_50, CALL] = [256_265, 10_924_290]
const BOUNDS = { timeoutMs: 10_000, everyMs: 500 }

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

type Answer = (id: unknown) => StreamMessage[]

/** A stream that answers each `subscribe` with the next of these, and goes on with the last. */
function streamThat(...answers: Answer[]) {
  const messages: StreamMessage[] = [{ op: 'welcome' }, { op: 'snapshot', pending: 0 }]
  let subscribes = 0
  let closed: string | undefined
  const send = ({ op, id }: Record<string, unknown>) => {
    if (op === 'unsubscribe') return
    messages.push(...(answers[Math.min(subscribes, answers.length - 1)]?.(id) ?? []))
    subscribes += 1
  }
  return {
    client: { messages, send, closedBy: () => closed },
    subscribes: () => subscribes,
    close: (why: string) => {
      closed = why
    },
  }
}
const subscribed = (states: Record<number, string>, unknown: number[] = []) => {
  const instruments = Object.entries(states).map(([token, state]) => ({
    instrument_token: Number(token),
    state,
  }))
  return (id: unknown): StreamMessage => ({ op: 'subscribed', id, instruments, unknown })
}
const answer = (...each: Parameters<typeof subscribed>) => {
  const message = subscribed(...each)
  return (id: unknown) => [message(id)]
}
const SNAPSHOT = { op: 'snapshot', seq: 1, pending: 0 }
const withSnapshot = (states: Record<number, string>, pending = 0) => {
  const message = subscribed(states)
  return (id: unknown) => [message(id), { ...SNAPSHOT, pending }, { op: 'heartbeat' }]
}
const ready = withSnapshot({ [NIFTY_50]: 'live', [CALL]: 'waiting' })

/** How many tries it took. */
async function triesUntil(...answers: Answer[]) {
  const { client, subscribes } = streamThat(...answers)
  const done = subscribeAll(client, [NIFTY_50, CALL], BOUNDS)
  await vi.advanceTimersByTimeAsync(BOUNDS.timeoutMs)
  await done
  return subscribes()
}

test('all live or waiting, and the snapshot whole: once', async () => {
  expect(await triesUntil(ready)).toBe(1)
})

test.each<[string, Answer]>([
  ['unknown', answer({ [NIFTY_50]: 'waiting' }, [CALL])],
  ['not subscribed', withSnapshot({ [NIFTY_50]: 'live', [CALL]: 'not_subscribed' })],
  ['stale', withSnapshot({ [NIFTY_50]: 'stale', [CALL]: 'waiting' })],
  ['without its snapshot yet', answer({ [NIFTY_50]: 'live', [CALL]: 'waiting' })],
  ['with snapshots still to come', withSnapshot({ [NIFTY_50]: 'live', [CALL]: 'waiting' }, 1)],
  ['that only an earlier try was answered', () => ready(0)],
])('again while one is %s', async (_, first) => {
  expect(await triesUntil(first, first, ready)).toBe(3)
})

test('says which instruments are missing, and what the stream answered, when they do not come', async () => {
  const { client } = streamThat(answer({ [CALL]: 'waiting' }, [NIFTY_50]))
  const refused = expect(subscribeAll(client, [NIFTY_50, CALL], BOUNDS)).rejects.toThrow(
    /^1 of the recording's 2 instruments are not streamed after 10 s, among them 256265; .*"unknown":\[256265\]/,
  )
  await vi.advanceTimersByTimeAsync(BOUNDS.timeoutMs)
  await refused
})

test('says that the stream was closed, at once', async () => {
  const { client, close } = streamThat(answer({}, [NIFTY_50]))
  const refused = expect(subscribeAll(client, [NIFTY_50], BOUNDS)).rejects.toThrow('closed: 1012 restarting')
  close('1012 restarting')
  await vi.advanceTimersByTimeAsync(BOUNDS.everyMs / 2)
  await refused
})
