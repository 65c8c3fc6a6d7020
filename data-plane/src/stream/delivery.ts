// How ticks reach stream clients. One pass over the ring serves everyone who keeps up; a client that does not is
// served from its own place in the ring (nothing queues for it), and when it is too far behind it is told of the
// gap and given snapshots again. Every tick of an `every` instrument is delivered exactly once: in the snapshot or
// in a later `ticks`. Packets go from ring or slab into the message; nothing is made per tick.
import { FULL_LENGTH } from '@ticker/shared/kite-wire'
import type { Clock } from '../clock.ts'
import { createFanOut, type Lane } from '../market-data/fan-out.ts'
import type { TickSource } from '../market-data/runtime.ts'
import type { ClientMetrics } from './all-clients.ts'
import { MESSAGE_BYTES, MESSAGES_PER_TURN, REPLAY_PER_FLUSH, type StreamBounds } from './bounds.ts'
import { type Batch, type Interest, type StreamClient, tell } from './client.ts'
import type { MessageFormat, MessageKind } from './formats.ts'
import { addItem, createItems, firstPlace, type Items, lastPlace } from './items.ts'
import { addToGroup, type LatestGroup, periodAt, removeFromGroup } from './latest-group.ts'
import type { GapReason } from './messages.ts'
import type { StreamMetrics } from './metrics.ts'
import { createOutbox } from './outbox.ts'
import { createSnapshotBudget } from './snapshot-budget.ts'
import { createTokenFilter } from './token-filter.ts'

/** Of full depth, so that one snapshot message stays near MESSAGE_BYTES. */
const SNAPSHOT_TICKS = 100
/** Who has a picture waits for the next one while others wait for their first: of so many turns, one is taken. */
const LATEST_PERIODS_WHEN_LATE = 4

export interface Delivery {
  /** Passes on everything up to now. What it puts in line for the clients is sent by `flush` or `serve`. */
  advance(): void
  /** Sends what is due to every client; `late`: other work waits too, and comes before more of the latest. */
  flush(late?: boolean): void
  /** Sends the latest to those whose turn has come and who wait for nothing else; false: nobody has turns. */
  flushLatest(): boolean
  /** Sends what is due to this client, in front of its turn. */
  serve(client: StreamClient): void
  newBatch(format: MessageFormat): Batch
  hold(token: number): Lane<Interest>
  /** Puts the instrument in line for its snapshot, after which its ticks flow; those that flow already go on. */
  begin(interest: Interest): void
  /** Goes on after `seq` instead of a snapshot; false when the ring does not reach back so far. */
  beginAfter(interest: Interest, seq: number): boolean
  /** Nothing of it is sent any more. */
  end(interest: Interest): void
  release(interest: Interest): void
  /** Held and not released, of all clients together. */
  interests(): number
  lookUpstream(): void
  /** The last seq that was passed on to those who keep up. */
  cursor(): number
  /** What this client has been brought to: everything up to it was sent. */
  position(client: StreamClient): number
}

export function createDelivery(deps: {
  clock: Clock
  source: Pick<TickSource, 'ring' | 'store' | 'serving'>
  bounds: StreamBounds
  metrics: StreamMetrics
  clientMetrics: ClientMetrics
  clients: ReadonlySet<StreamClient>
}): Delivery {
  const { clock, source, bounds, metrics, clients } = deps
  const { ring, store } = source
  const fanOut = createFanOut<Interest>(source)
  const outbox = createOutbox()
  const budget = createSnapshotBudget(clock, bounds.snapshotsPerSecondMax)
  const delivered = {
    ticks: metrics.delivered.labels('every'),
    latest: metrics.delivered.labels('latest'),
    snapshot: metrics.delivered.labels('snapshot'),
  }
  const latency = {
    every: deps.clientMetrics.latency.labels('every'),
    latest: deps.clientMetrics.latency.labels('latest'),
  }
  const conflated = deps.clientMetrics.conflated.labels('latest')
  /** Of clients that are not served from their own batch. */
  const slab = createItems('slab')
  /** Clients whose snapshots are due. */
  const waiting = new Set<StreamClient>()
  let replayLeft = REPLAY_PER_FLUSH
  let interests = 0
  let isLate = false

  const clogged = (client: StreamClient) => client.socket.bufferedBytes() > bounds.conflateAboveBytes
  /** How many ticks may go into this many bytes, should all have full depth. */
  const ticksIn = (bytes: number, format: MessageFormat) =>
    Math.max(1, Math.floor(bytes / (FULL_LENGTH + 2) / format.inflation))

  function send(client: StreamClient, kind: MessageKind, seq: number, items: Items, receivedMs: number) {
    const head = { kind, seq, pending: client.pending.size, gap: client.afterGap, receivedMs }
    outbox.send(client.socket, client.format, head, items)
    client.afterGap = false
    delivered[kind].inc(items.count)
  }

  /** From now on, or still, it reads the ring by itself, after this seq. */
  function fallBehind(client: StreamClient, seq: number) {
    client.cursor = seq
    client.batch.open = false
  }

  function keepUp(client: StreamClient) {
    client.cursor = undefined
    client.batch.open = true
    client.replaying = false
    client.filter = undefined
  }

  function visit(seq: number, interest: Interest) {
    const { batch } = interest
    if (!batch.open) return
    addItem(batch, seq, interest.cut)
    if (batch.count >= batch.max) fallBehind(interest.client, seq)
  }

  function sendBatch(client: StreamClient) {
    const { batch } = client
    const first = firstPlace(batch)
    if (clogged(client) || !ring.has(first)) fallBehind(client, first - 1)
    else {
      const last = lastPlace(batch)
      send(client, 'ticks', last, batch, ring.receivedMsAt(last))
      // What was asked for as the past says nothing of how fast ticks are.
      if (!client.replaying) latency.every.observe(Math.max(0, clock.nowMs() - ring.receivedMsAt(first)))
    }
    batch.count = 0
  }

  /** The client lost its place: it hears of it and starts again from snapshots. */
  function restart(client: StreamClient, fromSeq: number, reason: GapReason) {
    keepUp(client)
    client.batch.count = 0
    let lost = false
    for (const interest of client.interests.values()) {
      if (!interest.allowed || interest.group) continue
      lost = true
      stop(interest)
      begin(interest)
    }
    // Who has only the latest of each has lost nothing.
    if (!lost) return
    metrics.gaps.inc({ reason })
    tell(client, { op: 'gap', from_seq: fromSeq, to_seq: fanOut.cursor(), reason })
  }

  function catchUp(client: StreamClient) {
    const { batch } = client
    const max = ticksIn(MESSAGE_BYTES, client.format)
    for (let turn = 0; turn < MESSAGES_PER_TURN && client.cursor !== undefined; turn++) {
      const next = client.cursor + 1
      if (next > fanOut.cursor()) break
      if (!ring.has(next)) return restart(client, next, 'ring_overrun')
      const lagMs = clock.nowMs() - ring.receivedMsAt(next)
      if (!client.replaying && lagMs > bounds.lagMaxMs) return restart(client, next, 'client_slow')
      if (clogged(client) || replayLeft <= 0) return
      client.filter ??= createTokenFilter(client.interests.keys(), client.interests.size)
      const end = Math.min(fanOut.cursor(), client.cursor + replayLeft)
      let seq = next
      for (; seq <= end && batch.count < max; seq++) {
        const token = ring.tokenAt(seq)
        if (!client.filter.mayHold(token)) continue
        const interest = client.interests.get(token)
        if (!interest?.flowing || interest.group || seq <= interest.afterSeq) continue
        addItem(batch, seq, interest.cut)
      }
      replayLeft -= seq - next
      client.cursor = seq - 1
      if (batch.count > 0) sendBatch(client)
    }
    if (client.cursor !== undefined && client.cursor >= fanOut.cursor()) keepUp(client)
  }

  /** Only for a client that keeps up: what its snapshot holds, its place in the ring must not give again. */
  function sendSnapshots(client: StreamClient) {
    for (let turn = 0; turn < MESSAGES_PER_TURN && client.pending.size > 0 && !clogged(client); turn++) {
      let granted = budget.take(Math.min(client.pending.size, SNAPSHOT_TICKS))
      if (granted === 0) {
        metrics.snapshotsDeferred.inc()
        break
      }
      slab.count = 0
      let newestMs = 0
      for (const interest of client.pending) {
        if (granted === 0) break
        granted -= 1
        client.pending.delete(interest)
        interest.flowing = true
        interest.afterSeq = fanOut.cursor()
        const { group, lane } = interest
        if (group) addToGroup(group, interest, fanOut.ticksAt(lane.index))
        else fanOut.add(lane, interest)
        const slot = store.slotOf(lane.token)
        if (slot < 0) continue
        newestMs = Math.max(newestMs, store.receivedMsAt(slot))
        addItem(slab, slot, interest.cut)
      }
      send(client, 'snapshot', fanOut.cursor(), slab, newestMs)
      metrics.snapshots.inc()
    }
    if (client.pending.size > 0) waiting.add(client)
    else waiting.delete(client)
  }

  function sendLatest(client: StreamClient, group: LatestGroup, nowMs: number) {
    const period = periodAt(group, nowMs)
    if (period - group.served < (isLate ? LATEST_PERIODS_WHEN_LATE : 1)) return
    let left = group.interests.length
    while (left > 0) {
      // It goes on there with the next flush; what changes meanwhile is conflated.
      if (clogged(client)) return
      left = sendLatestMessage(client, group, left)
    }
    group.served = period
  }

  function sendLatestMessage(client: StreamClient, group: LatestGroup, left: number): number {
    const { interests, lanes, seen } = group
    const max = ticksIn(MESSAGE_BYTES, client.format)
    let [oldestMs, newestMs] = [Number.POSITIVE_INFINITY, 0]
    let replaced = 0
    let rest = left
    slab.count = 0
    for (; rest > 0 && slab.count < max; rest--) {
      if (group.next >= lanes.length) group.next = 0
      const index = group.next++
      const lane = lanes[index] ?? 0
      const ticks = fanOut.ticksAt(lane)
      const before = seen[index] ?? 0
      if (ticks === before) continue
      seen[index] = ticks
      const slot = fanOut.slotAt(lane)
      const receivedMs = store.receivedMsAt(slot)
      if (receivedMs < oldestMs) oldestMs = receivedMs
      if (receivedMs > newestMs) newestMs = receivedMs
      replaced += ticks - before - 1
      addItem(slab, slot, interests[index]?.cut ?? 0)
    }
    if (replaced > 0) conflated.inc(replaced)
    if (slab.count === 0) return rest
    send(client, 'latest', fanOut.cursor(), slab, newestMs)
    latency.latest.observe(Math.max(0, clock.nowMs() - oldestMs))
    return rest
  }

  function stop(interest: Interest) {
    if (interest.group) removeFromGroup(interest.group, interest)
    else fanOut.remove(interest.lane, interest)
    interest.flowing = false
  }

  function begin(interest: Interest) {
    interest.client.pending.add(interest)
    waiting.add(interest.client)
  }

  function advance() {
    outbox.forget()
    const missed = fanOut.pass(visit)
    if (!missed) return
    for (const client of clients) {
      // One that was behind already finds it out by itself.
      if (client.cursor !== undefined && client.cursor < missed.fromSeq) continue
      const unsent = client.batch.count > 0 ? firstPlace(client.batch) : missed.fromSeq
      restart(client, Math.min(unsent, missed.fromSeq), 'ring_overrun')
    }
  }

  function serveTicks(client: StreamClient, nowMs: number) {
    if (client.batch.count > 0) sendBatch(client)
    if (client.cursor !== undefined) catchUp(client)
    if (client.latest.size > 0) serveLatest(client, nowMs)
  }

  /** While it is behind, or has ticks to come, the latest waits too: a seq it has seen must be one it can resume after. */
  function serveLatest(client: StreamClient, nowMs: number) {
    if (client.cursor !== undefined || client.batch.count > 0) return
    for (const group of client.latest.values()) sendLatest(client, group, nowMs)
  }

  return {
    advance,
    begin,
    newBatch(format) {
      return { ...createItems('ring'), open: true, max: ticksIn(bounds.conflateAboveBytes, format) }
    },
    interests: () => interests,
    cursor: fanOut.cursor,
    lookUpstream: fanOut.lookUpstream,
    position(client) {
      if (client.cursor !== undefined) return client.cursor
      return client.batch.count > 0 ? firstPlace(client.batch) - 1 : fanOut.cursor()
    },
    beginAfter(interest, seq) {
      const { client } = interest
      if (seq < ring.oldestSeq() - 1 || seq > fanOut.cursor()) return false
      if (client.cursor === undefined || seq < client.cursor) {
        const served = client.cursor ?? fanOut.cursor()
        for (const other of client.interests.values()) other.afterSeq = Math.max(other.afterSeq, served)
      }
      fallBehind(client, Math.min(client.cursor ?? seq, seq))
      client.filter = undefined
      client.replaying = true
      interest.afterSeq = seq
      interest.flowing = true
      fanOut.add(interest.lane, interest)
      return true
    },
    end(interest) {
      stop(interest)
      interest.client.pending.delete(interest)
      if (interest.client.pending.size === 0) waiting.delete(interest.client)
    },
    hold(token) {
      interests += 1
      return fanOut.hold(token)
    },
    release(interest) {
      interests -= 1
      fanOut.release(interest.lane)
    },
    flush(late = false) {
      isLate = late
      advance()
      replayLeft = REPLAY_PER_FLUSH
      const nowMs = clock.monotonicMs()
      for (const client of clients) serveTicks(client, nowMs)
      let turns = waiting.size
      for (const client of waiting) {
        if (turns === 0 || budget.spent()) break
        turns -= 1
        // To the end of the line, unless this turn is its last.
        waiting.delete(client)
        if (client.cursor === undefined) sendSnapshots(client)
        else waiting.add(client)
      }
    },
    flushLatest() {
      advance()
      const nowMs = clock.monotonicMs()
      let hasTurns = false
      for (const client of clients) {
        if (client.latest.size === 0) continue
        hasTurns = true
        serveLatest(client, nowMs)
      }
      return hasTurns
    },
    serve(client) {
      serveTicks(client, clock.monotonicMs())
      if (client.cursor === undefined && client.pending.size > 0) sendSnapshots(client)
    },
  }
}
