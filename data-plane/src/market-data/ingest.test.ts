import { encodeFrame, encodePacket, HEARTBEAT } from '@ticker/shared/kite-wire'
import fc from 'fast-check'
import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Activity, createActivity } from '../kite-socket/activity.ts'
import { fakeClock } from '../testing/fake-clock.ts'
import { createIngest, type Ingest } from './ingest.ts'
import { createRing, type Ring } from './ring.ts'
import { createTickStore, type TickStore } from './tick-store.ts'

const INFY = 408_065
const NIFTY = 256_265
let store: TickStore
let ring: Ring
let registry: Registry
let ingest: Ingest
let dirty: [number, number][]
let activity: Activity
const frame = (bytes: Uint8Array, receivedMs: number) => ingest.frame(bytes, receivedMs, activity)

beforeEach(() => {
  store = createTickStore(2)
  ring = createRing(64 * 1024)
  registry = new Registry()
  dirty = []
  activity = createActivity()
  const note = (token: number, slot: number) => dirty.push([token, slot])
  ingest = createIngest({ clock: fakeClock(), registry, store, ring, dirty: note })
})

describe('ingest', () => {
  it('keeps each packet as it arrived: latest in the slab, all in the ring, with one seq each', () => {
    const first = encodePacket({ instrument_token: INFY, last_price: 1_500 }, 'full')
    const second = encodePacket({ instrument_token: INFY, last_price: 1_501 }, 'quote')
    const index = encodePacket({ instrument_token: NIFTY, last_price: 25_000 }, 'full')
    frame(encodeFrame([first, index]), 1_000)
    frame(encodeFrame([second]), 2_000)
    const slot = store.slotOf(INFY)
    expect(Uint8Array.from(store.packetAt(slot))).toEqual(second)
    expect(Uint8Array.from(store.packetFor(slot, 'ltp'))).toEqual(second.subarray(0, 8))
    expect([store.seqAt(slot), store.receivedMsAt(slot), store.tokenAt(slot), store.size()]).toEqual([
      3,
      2_000,
      INFY,
      2,
    ])
    expect([1, 2, 3].map(ring.tokenAt)).toEqual([INFY, NIFTY, INFY])
    expect(dirty).toEqual([
      [INFY, 0],
      [NIFTY, 1],
      [INFY, 0],
    ])
    expect(ingest.received()).toBe(3)
    expect([activity.ticks[1], activity.ticks[9]]).toEqual([2, 1])
  })

  it('grows past its first slots without losing any', () => {
    for (let token = 1; token <= 100; token += 1) {
      frame(
        encodeFrame([encodePacket({ instrument_token: token * 256 + 1, last_price: token }, 'ltp')]),
        token,
      )
    }
    for (let token = 1; token <= 100; token += 1) {
      const slot = store.slotOf(token * 256 + 1)
      expect([store.receivedMsAt(slot), store.lengthAt(slot)]).toEqual([token, 8])
    }
    expect(store.slotOf(7)).toBe(-1)
  })

  it('counts heartbeats and every dropped packet by its reason, and keeps the good ones beside them', async () => {
    frame(HEARTBEAT, 0)
    const bad = encodePacket({ instrument_token: NIFTY, last_price: 1 }, 'full')
    const tooLong = encodeFrame([
      encodePacket({ instrument_token: INFY, last_price: 1 }, 'ltp'),
      new Uint8Array(12),
      bad,
    ])
    frame(tooLong.subarray(0, tooLong.length - 3), 0)
    expect(ingest.received()).toBe(1)
    const text = await registry.metrics()
    expect(text).toContain('ticker_frames_received_total{kind="heartbeat"} 1')
    expect(text).toContain('ticker_packets_dropped_total{reason="unknown_length"} 1')
    expect(text).toContain('ticker_packets_dropped_total{reason="truncated"} 1')
    expect(text).toContain('ticker_frames_malformed_total{fault="truncated"} 1')
    expect(text).toContain('ticker_instruments_seen 1')
  })

  it('survives any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        frame(bytes, 0)
      }),
      { numRuns: 5_000 },
    )
    expect(ring.newestSeq()).toBe(ingest.received())
  })
})
