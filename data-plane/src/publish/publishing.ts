// What goes to Redis, put together: the newest ticks, and the events of streams and sessions.
import type { Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { JsonTicks } from '../config.ts'
import type { ChangeCounts } from '../instruments/changes.ts'
import type { PoolAccountStatus } from '../kite-socket/pool-status.ts'
import type { MarketDataRuntime } from '../market-data/runtime.ts'
import type { Log } from '../operations/log.ts'
import { createRedisConnection } from '../operations/redis-connection.ts'
import type { Supervisor } from '../operations/supervisor.ts'
import type { Reminder } from '../ownership/session-reminders.ts'
import { createAnnouncer } from './announcer.ts'
import { createEventStream } from './event-stream.ts'
import { createPublisher, type PublishingStatus } from './publisher.ts'
import { createTickRedis } from './tick-redis.ts'

export interface Publishing {
  /** Says which sessions have changed since it was told last. */
  sessions(accounts: readonly PoolAccountStatus[]): void
  remind(reminder: Reminder): void
  /** Says that a dump lists contracts otherwise than the one before; nothing when it does not. */
  instruments(snapshotId: number, changes: ChangeCounts): void
  status(): PublishingStatus
  stop(): void
}

export function startPublishing(deps: {
  clock: Clock
  random: () => number
  log: Log
  registry: Registry
  supervisor: Supervisor
  instanceId: string
  marketData: MarketDataRuntime
  redisUrl: string
  json: JsonTicks
}): Publishing {
  const { clock, random, log, registry, supervisor, instanceId, marketData } = deps
  const connection = createRedisConnection({ url: deps.redisUrl, name: 'ticks', clock, random, log })
  const redis = createTickRedis(connection, clock)
  const publisher = createPublisher({ clock, log, registry, redis, source: marketData, json: deps.json })
  const events = createEventStream({ realm: marketData.realm, instanceId, clock, log, registry, connection })
  const announcer = createAnnouncer({ events, directory: marketData.directory })

  marketData.setDirtySink(publisher.mark)
  marketData.onDesiredChanged(announcer.subscriptions)
  marketData.onGap((accountId, tokens) => announcer.gap(accountId, tokens.keys()))
  supervisor.run('publisher', publisher.run)
  supervisor.run('events', events.run)
  events.emit({ event_type: 'stream_started', stream_id: marketData.streamId.toString() })

  return {
    sessions: announcer.sessions,
    remind: events.emit,
    instruments: announcer.instruments,
    status: publisher.status,
    stop: connection.stop,
  }
}
