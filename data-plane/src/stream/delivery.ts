// How ticks reach stream clients. One pass over the ring serves everyone who keeps up; a client that does not is
// served from its own place in the ring (nothing queues for it), and when it is too far behind it is told of the
// gap and given snapshots again. Every tick of an `every` instrument is delivered exactly once: in the snapshot or
// in a later `ticks`.
import type { Clock } from '../clock.ts'
import { createFanOut } from '../market-data/fan-out.ts'
import type { TickSource } from '../market-data/runtime.ts'
import { CATCH_UP_BYTES, type StreamBounds } from './bounds.ts'
import { addToBatch, type Interest, type StreamClient, tell } from './client.ts'
import type { StreamMetrics } from './metrics.ts'
import type { GapReason } from './protocol.ts'
import { createTickTexts, snapshotMessage, ticksMessage } from './tick-text.ts'

/** Of full depth, so that one snapshot message stays near CATCH_UP_BYTES. */
const SNAPSHOT_TICKS = 100
/** Messages composed for one client in one flush while it catches up or takes its snapshots. */
const MESSAGES_PER_TURN = 16

export interface Delivery {
  /** Everything that is due, for every client. */
  flush(clients: Iterable<StreamClient>): void
  /** Puts the instrument in line for its snapshot, after which its ticks flow. */
  begin(client: StreamClient, token: number, interest: Interest): void
  /** Goes on after `seq` instead of a snapshot; false when the ring does not reach back so far. */
  beginAfter(client: StreamClient, token: number, interest: Interest, seq: number): boolean
  end(client: StreamClient, token: number): void
  /** The last seq that was passed on to those who keep up. */
  cursor(): number
}

export function createDelivery(deps: {
  clock: Clock
  source: Pick<TickSource, 'ring' | 'store'>
  bounds: StreamBounds
  metrics: StreamMetrics
}): Delivery {
  const { clock, bounds, metrics } = deps
  const { ring, store } = deps.source
  const fanOut = createFanOut<StreamClient>(ring)
  const texts = createTickTexts(ring, store)
  const clogged = (client: StreamClient) => client.socket.bufferedBytes() > bounds.conflateAboveBytes

  function visit(seq: number, client: StreamClient) {
    const token = ring.tokenAt(seq)
    const interest = client.interests.get(token)
    if (!interest) return
    if (interest.periodMs !== undefined) {
      client.latest.get(interest.periodMs)?.dirty.add(token)
    } else if (client.cursor === undefined) {
      if (client.batchBytes > bounds.conflateAboveBytes) client.cursor = client.batchTo
      else addToBatch(client, seq, texts.ofSeq(seq, interest.mode))
    }
  }

  function sendBatch(client: StreamClient) {
    if (client.batch.length === 0) return
    client.socket.send(ticksMessage(client.batchFrom, client.batchTo, client.batch))
    metrics.delivered.inc(client.batch.length)
    metrics.latency.observe(Math.max(0, clock.nowMs() - ring.receivedMsAt(client.batchFrom)))
    client.batch = []
    client.batchBytes = 0
  }

  /** The client lost its place: it hears of it and starts again from snapshots. */
  function restart(client: StreamClient, fromSeq: number, reason: GapReason) {
    metrics.gaps.inc({ reason })
    tell(client, { op: 'gap', from_seq: fromSeq, to_seq: fanOut.cursor(), reason })
    client.cursor = undefined
    client.replaying = false
    client.batch = []
    client.batchBytes = 0
    for (const [token, interest] of client.interests) {
      if (interest.allowed && interest.periodMs === undefined) begin(client, token, interest)
    }
  }

  function overrun(client: StreamClient, fromSeq: number) {
    if (client.cursor === undefined) restart(client, fromSeq, 'ring_overrun')
    for (const [token, { periodMs, flowing }] of client.interests) {
      if (flowing && periodMs !== undefined) client.latest.get(periodMs)?.dirty.add(token)
    }
  }

  function catchUp(client: StreamClient) {
    for (let turn = 0; turn < MESSAGES_PER_TURN && client.cursor !== undefined; turn++) {
      const next = client.cursor + 1
      if (next > fanOut.cursor()) break
      if (!ring.has(next)) return restart(client, next, 'ring_overrun')
      const lagMs = clock.nowMs() - ring.receivedMsAt(next)
      if (!client.replaying && lagMs > bounds.lagMaxMs) return restart(client, next, 'client_slow')
      if (clogged(client)) return
      let seq = next
      for (; seq <= fanOut.cursor() && client.batchBytes < CATCH_UP_BYTES; seq++) {
        const interest = client.interests.get(ring.tokenAt(seq))
        if (!interest?.flowing || interest.periodMs !== undefined || seq <= interest.afterSeq) continue
        addToBatch(client, seq, texts.ofSeq(seq, interest.mode))
      }
      client.cursor = seq - 1
      sendBatch(client)
    }
    if (client.cursor !== undefined && client.cursor >= fanOut.cursor()) {
      client.cursor = undefined
      client.replaying = false
    }
  }

  /** Only for a client that keeps up: what its snapshot holds, its place in the ring must not give again. */
  function sendSnapshots(client: StreamClient) {
    for (let turn = 0; turn < MESSAGES_PER_TURN && client.pending.size > 0 && !clogged(client); turn++) {
      const ticks: string[] = []
      for (const token of client.pending) {
        if (ticks.length === SNAPSHOT_TICKS) break
        client.pending.delete(token)
        const interest = client.interests.get(token)
        if (!interest) continue
        interest.flowing = true
        interest.afterSeq = fanOut.cursor()
        fanOut.add(token, client)
        const slot = store.slotOf(token)
        if (slot >= 0) ticks.push(texts.ofSlot(slot, interest.mode))
      }
      client.socket.send(snapshotMessage(fanOut.cursor(), ticks))
      metrics.snapshots.inc()
      metrics.delivered.inc(ticks.length)
    }
  }

  function sendLatest(client: StreamClient, nowMs: number) {
    for (const [periodMs, group] of client.latest) {
      if (nowMs < group.dueMs || group.dirty.size === 0 || clogged(client)) continue
      group.dueMs = nowMs + periodMs
      let from = Number.POSITIVE_INFINITY
      let to = 0
      const ticks: string[] = []
      for (const token of group.dirty) {
        const slot = store.slotOf(token)
        const interest = client.interests.get(token)
        if (slot < 0 || !interest) continue
        from = Math.min(from, store.seqAt(slot))
        to = Math.max(to, store.seqAt(slot))
        ticks.push(texts.ofSlot(slot, interest.mode))
      }
      group.dirty.clear()
      if (ticks.length === 0) continue
      client.socket.send(ticksMessage(from, to, ticks))
      metrics.delivered.inc(ticks.length)
    }
  }

  function begin(client: StreamClient, token: number, interest: Interest) {
    interest.flowing = false
    fanOut.remove(token, client)
    client.pending.add(token)
  }

  return {
    cursor: fanOut.cursor,
    begin,
    beginAfter(client, token, interest, seq) {
      if (seq < ring.oldestSeq() - 1 || seq > fanOut.cursor()) return false
      if (client.cursor === undefined) {
        for (const other of client.interests.values()) other.afterSeq = fanOut.cursor()
      } else if (seq < client.cursor) {
        for (const other of client.interests.values()) {
          other.afterSeq = Math.max(other.afterSeq, client.cursor)
        }
      }
      client.cursor = Math.min(client.cursor ?? seq, seq)
      client.replaying = true
      interest.afterSeq = seq
      interest.flowing = true
      fanOut.add(token, client)
      return true
    },
    end(client, token) {
      const interest = client.interests.get(token)
      if (interest?.periodMs !== undefined) client.latest.get(interest.periodMs)?.dirty.delete(token)
      fanOut.remove(token, client)
      client.pending.delete(token)
    },
    flush(clients) {
      const before = fanOut.cursor()
      for (const client of clients) {
        if (client.cursor === undefined && clogged(client)) client.cursor = before
      }
      const missed = fanOut.pass(visit)
      const nowMs = clock.monotonicMs()
      for (const client of clients) {
        if (missed) overrun(client, missed.fromSeq)
        sendBatch(client)
        if (client.cursor !== undefined) catchUp(client)
        if (client.cursor === undefined) sendSnapshots(client)
        if (client.latest.size > 0) sendLatest(client, nowMs)
      }
    },
  }
}
