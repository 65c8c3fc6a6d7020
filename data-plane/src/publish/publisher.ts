// Ticks to Redis: binary frames per shard, JSON per instrument where asked for. At most one flush is in flight and
// it is composed when it is sent, so a slow or absent Redis makes ticks conflate; ingest never waits for it and
// nothing composed earlier is ever sent. Comes back by itself; the first message of each shard then says `gap`.
import type { InstanceStatus, Realm } from '@ticker/shared/commands'
import { SHARDS } from '@ticker/shared/kite-wire'
import type { Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { TickSource } from '../market-data/runtime.ts'
import type { Log } from '../operations/log.ts'
import { createBackpressure } from './backpressure.ts'
import { createBatch } from './batch.ts'
import { composeMessage, PACKETS_PER_MESSAGE } from './compose.ts'
import { createDirtySet } from './dirty-set.ts'
import { createFlushSize } from './flush-size.ts'
import { createPublishMetrics } from './metrics.ts'
import { createSlotList } from './slot-list.ts'
import { tickJson } from './tick-json.ts'
import type { TickRedis } from './tick-redis.ts'

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

export type PublishingStatus = NonNullable<InstanceStatus['publishing']>

export interface Publisher {
  /** The hot path's note that an instrument changed. */
  mark(token: number, slot: number): void
  status(): PublishingStatus
  run(signal: AbortSignal): Promise<void>
}

interface Flush {
  shards: number[]
  /** When its oldest tick was received. */
  oldestMs: number
}

export function createPublisher(deps: PublisherDeps): Publisher {
  const { clock, log, redis, source } = deps
  const { realm, store } = source
  const synthetic = realm === 'sim'
  const dirty = createDirtySet()
  const backpressure = createBackpressure(clock)
  const size = createFlushSize()
  const metrics = createPublishMetrics(deps.registry, redis, dirty, backpressure)
  const channels = Array.from({ length: SHARDS }, (_, shard) => rawChannel(realm, shard))
  const gaps = new Uint8Array(SHARDS)
  let messageSeq = 0
  let firstShard = 0
  /** Of the flush in flight. */
  const batch = createBatch()
  const taken = createSlotList()
  const publishesAnyJson = deps.json === 'all' || deps.json.size > 0
  let wakeUp = () => {}
  let stopWaiting = () => {}

  function mark(token: number, slot: number) {
    dirty.mark(token, slot)
    if (dirty.size() === 1) wakeUp()
  }

  function compose(): Flush {
    batch.reuse()
    taken.count = 0
    const flush: Flush = { shards: [], oldestMs: Number.POSITIVE_INFINITY }
    // Starting where the last flush stopped, so that no shard starves behind busy ones.
    const isFull = () => batch.messages() >= MESSAGES_PER_FLUSH || taken.count >= size.ticksMax()
    for (let turn = 0; turn < SHARDS && !isFull(); turn++) {
      const shard = (firstShard + turn) % SHARDS
      const count = dirty.take(shard, Math.min(PACKETS_PER_MESSAGE, size.ticksMax() - taken.count), taken)
      if (count === 0) continue
      const slots = taken.values.subarray(taken.count - count, taken.count)
      messageSeq += 1
      const header = { synthetic, gap: gaps[shard] === 1, shard, stream_id: source.streamId, seq: messageSeq }
      const channel = channels[shard] ?? rawChannel(realm, shard)
      const oldestMs = composeMessage(store, slots, header, (bytes) => batch.add(channel, bytes))
      flush.oldestMs = Math.min(flush.oldestMs, oldestMs)
      flush.shards.push(shard)
      if (publishesAnyJson) addJson(slots)
      if (isFull()) firstShard = (shard + 1) % SHARDS
    }
    return flush
  }

  function addJson(slots: Int32Array) {
    const rests = !backpressure.publishesJson()
    for (const slot of slots) {
      const token = store.tokenAt(slot)
      if (deps.json !== 'all' && !deps.json.has(token)) continue
      if (rests) metrics.jsonRested.inc()
      else addJsonOf(token, slot)
    }
  }

  function addJsonOf(token: number, slot: number) {
    const text = tickJson(store.packetAt(slot), source.directory().byToken(token), {
      seq: store.seqAt(slot),
      receivedMs: store.receivedMsAt(slot),
      publishedMs: clock.nowMs(),
      synthetic,
    })
    batch.add(jsonChannel(realm, token), Buffer.byteLength(text)).write(text)
  }

  async function send(flush: Flush, signal: AbortSignal) {
    const sentMs = clock.monotonicMs()
    const outcome = await new Promise<'published' | 'refused' | 'timeout'>((resolve) => {
      const timeout = () => resolve('timeout')
      const cancel = clock.after(PUBLISH_TIMEOUT_MS, timeout)
      stopWaiting = timeout
      redis
        .publish(batch.bytes())
        .then(
          () => resolve('published'),
          () => resolve('refused'),
        )
        .finally(cancel)
    })
    if (outcome === 'published') {
      const nowMs = clock.nowMs()
      const tookMs = clock.monotonicMs() - sentMs
      backpressure.answered(tookMs)
      size.published(taken.count, tookMs)
      metrics.inFlight.observe(tookMs)
      metrics.messages.inc(batch.messages())
      metrics.ticks.inc(taken.count)
      metrics.latency.observe(Math.max(0, nowMs - flush.oldestMs))
      for (const shard of flush.shards) gaps[shard] = 0
      return
    }
    // What was lost is not sent again as it was: its instruments are dirty again, with their value of that time.
    gaps.fill(1)
    const lost = batch.messages()
    batch.renew()
    for (const slot of taken.values.subarray(0, taken.count)) dirty.restore(store.tokenAt(slot), slot)
    if (signal.aborted) return
    backpressure.failed()
    size.lost(taken.count)
    metrics.failures.inc({ reason: outcome })
    log.warn({ outcome, messages: lost }, 'publishing to redis failed')
    if (outcome === 'timeout') redis.reset()
  }

  function pause(ms: number) {
    return new Promise<void>((resolve) => {
      const cancel = clock.after(ms, resolve)
      stopWaiting = () => {
        cancel()
        resolve()
      }
    })
  }

  async function publish(signal: AbortSignal) {
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
        await pause(Math.max(openMs, AWAY_POLL_MS))
        continue
      }
      const startedMs = clock.monotonicMs()
      await send(compose(), signal)
      const leftMs = backpressure.flushIntervalMs() - (clock.monotonicMs() - startedMs)
      if (leftMs > 0 && !signal.aborted) await pause(leftMs)
    }
  }

  return {
    mark,
    status: () => ({
      level: backpressure.level(),
      breaker_open: backpressure.openForMs() > 0,
      pending_instruments: dirty.size(),
    }),
    async run(signal) {
      const stop = () => {
        wakeUp()
        stopWaiting()
      }
      signal.addEventListener('abort', stop, { once: true })
      // The supervisor may start it again with the same signal.
      await publish(signal).finally(() => signal.removeEventListener('abort', stop))
    },
  }
}
