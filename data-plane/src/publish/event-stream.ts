// What happens around the ticks, on the Redis stream `{realm}:events`, for readers that must act on it (start a
// backfill, warn a person): subscriptions that came and went, sessions, gaps. Redis keeps the last 10,000; while it
// is away the last 1,000 wait here, oldest dropped first and counted.
import type { Realm } from '@ticker/shared/commands'
import type { Mode } from '@ticker/shared/kite-wire'
import { Counter, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { ChangeCounts } from '../instruments/changes.ts'
import type { Log } from '../operations/log.ts'
import type { RedisConnection } from '../operations/redis-connection.ts'
import type { Reminder } from '../ownership/session-reminders.ts'

export interface EventInstrument {
  instrument_token: number
  exchange: string | null
  tradingsymbol: string | null
}

export type TickEvent =
  | { event_type: 'stream_started'; stream_id: string }
  | {
      event_type: 'subscriptions_added'
      owner: string
      instruments: (EventInstrument & { mode: Mode })[]
    }
  | { event_type: 'subscriptions_removed'; owner: string; instruments: EventInstrument[] }
  | { event_type: 'session_changed'; account_id: string; session: 'active' | 'parked' | 'none' }
  | Reminder
  | { event_type: 'instruments_changed'; snapshot_id: number; changes: ChangeCounts }
  | { event_type: 'gap'; account_id: string; instruments: EventInstrument[] }

/** Instruments in one event; a larger change is several events. */
export const INSTRUMENTS_PER_EVENT = 500
const WAITING_MAX = 1_000
const KEPT_MAX = 10_000
const RETRY_MS = 250
const ANSWER_WITHIN_MS = 1_000

export const eventStreamKey = (realm: Realm) => `${realm}:events`

export interface EventStream {
  emit(event: TickEvent): void
  run(signal: AbortSignal): Promise<void>
}

export function createEventStream(deps: {
  realm: Realm
  instanceId: string
  clock: Clock
  log: Log
  registry: Registry
  connection: Pick<RedisConnection, 'client' | 'ready' | 'reset'>
}): EventStream {
  const { clock, connection } = deps
  const key = eventStreamKey(deps.realm)
  const events = new Counter({
    name: 'ticker_events_total',
    help: 'Events of the event stream by outcome',
    labelNames: ['outcome'],
    registers: [deps.registry],
  })
  const waiting: string[] = []
  let wakeUp = () => {}

  async function send(text: string): Promise<void> {
    const late = new AbortController()
    const added = connection
      .client()
      .xAdd(
        key,
        '*',
        { event: text },
        { TRIM: { strategy: 'MAXLEN', strategyModifier: '~', threshold: KEPT_MAX } },
      )
    const timeout = clock.sleep(ANSWER_WITHIN_MS, late.signal).then(() => {
      if (late.signal.aborted) return
      connection.reset()
      throw new Error('no answer in time')
    })
    try {
      await Promise.race([added, timeout])
    } finally {
      late.abort()
    }
  }

  return {
    emit(event) {
      waiting.push(
        JSON.stringify({ ...event, at_ms: clock.nowMs(), instance_id: deps.instanceId, realm: deps.realm }),
      )
      if (waiting.length > WAITING_MAX) {
        waiting.shift()
        events.inc({ outcome: 'dropped' })
      }
      wakeUp()
    },
    async run(signal) {
      signal.addEventListener('abort', () => wakeUp(), { once: true })
      while (!signal.aborted) {
        const [text] = waiting
        if (text === undefined) {
          await new Promise<void>((resolve) => {
            wakeUp = resolve
          })
          continue
        }
        try {
          if (!connection.ready()) throw new Error('redis is away')
          await send(text)
          if (waiting[0] === text) waiting.shift()
          events.inc({ outcome: 'published' })
        } catch {
          events.inc({ outcome: 'retried' })
          await clock.sleep(RETRY_MS, signal)
        }
      }
    },
  }
}
