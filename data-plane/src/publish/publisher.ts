// Ticks to Redis: binary frames per shard, JSON per instrument where asked for. At most one flush is in flight and
// it is composed when it is sent, so a slow or absent Redis makes ticks conflate; ingest never waits for it and
// nothing composed earlier is ever sent. Comes back by itself; the first message of each shard then says `gap`.
import type { Realm } from '@ticker/shared/commands'
import { SHARDS } from '@ticker/shared/kite-wire'
import type { Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { TickSource } from '../market-data/runtime.ts'
import type { Log } from '../operations/log.ts'
import { createBackpressure, type Level } from './backpressure.ts'
import { composeMessage, PACKETS_PER_MESSAGE } from './compose.ts'
import { createDirtySet } from './dirty-set.ts'
import { createPublishMetrics } from './metrics.ts'
import { tickJson } from './tick-json.ts'
import type { TickMessage, TickRedis } from './tick-redis.ts'

export const PUBLISH_TIMEOUT_MS = 1_000
/** While Redis is away, how often to look whether it is back. */
const AWAY_POLL_MS = 100
/** Messages of one flush; what is left waits for the next, and stays current meanwhile. */
const MESSAGES_PER_FLUSH = 512

export const rawChannel = (realm: Realm, shard: number) => `${realm}:ticks:raw:${shard}`
export const jsonChannel = (realm: Realm, token: number) => `${realm}:ticks:json:${token}`

export interface PublisherDeps {
  clock: Clock
  log: Log
  registry: Registry
  redis: TickRedis
  source: Pick<TickSource, 'realm' | 'streamId' | 'store' | 'directory'>
  /** Instruments that are published as JSON as well. */
  json: 'all' | ReadonlySet<number>
}

export interface Publisher {
  /** The hot path's note that an instrument changed. */
  mark(token: number, slot: number): void
  level(): Level
  run(signal: AbortSignal): Promise<void>
}

interface Flush {
  messages: TickMessage[]
  slots: number[]
  shards: number[]
  oldestMs: number[]
}

export function createPublisher(deps: PublisherDeps): Publisher {
  const { clock, log, redis, source } = deps
  const { realm, store } = source
  const synthetic = realm === 'sim'
  const dirty = createDirtySet()
  const backpressure = createBackpressure(clock)
  const metrics = createPublishMetrics(deps.registry, redis, dirty, backpressure)
  const gaps = new Uint8Array(SHARDS)
  let messageSeq = 0
  let firstShard = 0
  let wakeUp = () => {}

  function mark(token: number, slot: number) {
    dirty.mark(token, slot)
    if (dirty.size() === 1) wakeUp()
  }

  function compose(): Flush {
    const flush: Flush = { messages: [], slots: [], shards: [], oldestMs: [] }
    const withJson = backpressure.publishesJson()
    // Starting where the last flush stopped, so that no shard starves behind busy ones.
    for (let turn = 0; turn < SHARDS && flush.messages.length < MESSAGES_PER_FLUSH; turn++) {
      const shard = (firstShard + turn) % SHARDS
      const slots = dirty.take(shard, PACKETS_PER_MESSAGE)
      if (slots.length === 0) continue
      messageSeq += 1
      const header = { synthetic, gap: gaps[shard] === 1, shard, stream_id: source.streamId, seq: messageSeq }
      const { payload, oldestReceivedMs } = composeMessage(store, slots, header)
      flush.messages.push({ channel: rawChannel(realm, shard), payload })
      flush.oldestMs.push(oldestReceivedMs)
      flush.shards.push(shard)
      for (const slot of slots) {
        flush.slots.push(slot)
        const token = store.tokenAt(slot)
        if (deps.json !== 'all' && !deps.json.has(token)) continue
        if (withJson) flush.messages.push(jsonMessage(token, slot))
        else metrics.jsonRested.inc()
      }
      if (flush.messages.length >= MESSAGES_PER_FLUSH) firstShard = (shard + 1) % SHARDS
    }
    return flush
  }

  function jsonMessage(token: number, slot: number): TickMessage {
    const text = tickJson(store.packetAt(slot), source.directory().byToken(token), {
      seq: store.seqAt(slot),
      receivedMs: store.receivedMsAt(slot),
      publishedMs: clock.nowMs(),
      synthetic,
    })
    return { channel: jsonChannel(realm, token), payload: Buffer.from(text) }
  }

  async function send(flush: Flush, signal: AbortSignal) {
    const sentMs = clock.monotonicMs()
    const timer = new AbortController()
    const stop = () => timer.abort()
    signal.addEventListener('abort', stop, { once: true })
    const outcome = await Promise.race([
      redis.publish(flush.messages).then(
        () => 'published' as const,
        () => 'refused' as const,
      ),
      clock.sleep(PUBLISH_TIMEOUT_MS, timer.signal).then(() => 'timeout' as const),
    ])
    timer.abort()
    signal.removeEventListener('abort', stop)
    if (outcome === 'published') {
      const nowMs = clock.nowMs()
      const tookMs = clock.monotonicMs() - sentMs
      backpressure.answered(tookMs)
      metrics.inFlight.observe(tookMs)
      metrics.messages.inc(flush.messages.length)
      metrics.ticks.inc(flush.slots.length)
      for (const oldestMs of flush.oldestMs) metrics.latency.observe(Math.max(0, nowMs - oldestMs))
      for (const shard of flush.shards) gaps[shard] = 0
      return
    }
    // What was lost is not sent again as it was: its instruments are dirty again, with their value of that time.
    gaps.fill(1)
    for (const slot of flush.slots) dirty.restore(store.tokenAt(slot), slot)
    if (signal.aborted) return
    backpressure.failed()
    metrics.failures.inc({ reason: outcome })
    log.warn({ outcome, messages: flush.messages.length }, 'publishing to redis failed')
    if (outcome === 'timeout') redis.reset()
  }

  return {
    mark,
    level: backpressure.level,
    async run(signal) {
      signal.addEventListener('abort', () => wakeUp(), { once: true })
      while (!signal.aborted) {
        if (dirty.size() === 0) {
          await new Promise<void>((resolve) => {
            wakeUp = resolve
          })
          // Let the rest of the frame that woke us come in: it is one flush.
          await Promise.resolve()
          continue
        }
        metrics.conflated.inc(dirty.takeConflated())
        const openMs = backpressure.openForMs()
        const isAway = openMs === 0 && !redis.ready()
        if (isAway) {
          backpressure.failed()
          metrics.failures.inc({ reason: 'away' })
        }
        if (isAway || openMs > 0) {
          gaps.fill(1)
          await clock.sleep(Math.max(openMs, AWAY_POLL_MS), signal)
          continue
        }
        const startedMs = clock.monotonicMs()
        await send(compose(), signal)
        const leftMs = backpressure.flushIntervalMs() - (clock.monotonicMs() - startedMs)
        if (leftMs > 0) await clock.sleep(leftMs, signal)
      }
    },
  }
}
