import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeCandleStream, keepsNothing } from '../testing/fake-candles.ts'
import { type FakeClientSocket, fakeClientSocket } from '../testing/fake-client-socket.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { type FakeTickSource, fakeTickSource } from '../testing/fake-tick-source.ts'
import { streamed } from '../testing/held.ts'
import { CANDLE_BOUNDS } from './bounds.ts'
import type { CandleKeeping, CandleReader, CandleStream } from './candle-stream.ts'

const [A, B] = [257, 513]
/** 09:30 on a Monday. */
const T0 = Date.UTC(2026, 10, 23, 4, 0, 0)
const MINUTE = 60_000

interface Reader extends CandleReader {
  socket: FakeClientSocket
}
interface SeenCandle {
  instrument_token: number
  state: string
  time: string
  close: number
  volume: number
  gap: boolean
}

let clock: FakeClock
let source: FakeTickSource
let stream: CandleStream
let stop: AbortController
let volume: number

function begin(keeping: CandleKeeping = keepsNothing, bounds = CANDLE_BOUNDS, startMs = T0) {
  clock = fakeClock(startMs)
  source = fakeTickSource(clock, { tokens: [A, B] })
  stream = fakeCandleStream(clock, source, { keeping, bounds })
  stop = new AbortController()
  volume = 0
  void stream.run(stop.signal)
}
beforeEach(() => begin())
afterEach(() => stop.abort())

function reader(owner = 'desk'): Reader {
  const socket = fakeClientSocket()
  return { owner, socket, say: (_, json) => socket.send(json) }
}
const instrument = (token: number) => ({
  ...{ instrument_token: token, exchange: 'NSE', tradingsymbol: `SYM${token}` },
})
const add = (to: Reader, token: number, interval: Parameters<CandleStream['add']>[3] = '1m') =>
  stream.add(to, streamed(to.owner, token), instrument(token), interval)

/** A trade now, or so long ago. */
function trade(token: number, price: number, agoS = 0) {
  volume += 10
  const atS = Math.floor(clock.nowMs() / 1_000) - agoS
  source.send({
    ...{ instrument_token: token, last_price: price, volume_traded: volume },
    ...{ last_trade_time_s: atS, exchange_timestamp_s: atS },
  })
}
const seen = ({ socket }: Reader, op = 'candles') =>
  socket
    .messages()
    .filter((message) => message.op === op)
    .flatMap(({ candles }) => (Array.isArray(candles) ? (candles as SeenCandle[]) : []))
const states = (of: Reader) =>
  seen(of).map(({ state, time, close }) => `${time.slice(11, 16)} ${state} ${close}`)

describe('candles of a client', () => {
  it('are the day so far, then what forms at most four times a second, then each closed once', async () => {
    const first = reader()
    add(first, A)
    await clock.advance(100)
    expect(first.socket.messages()).toEqual([
      { op: 'candle_snapshot', instrument_token: A, interval: '1m', pending: 0, candles: [] },
    ])
    for (let at = 0; at < 20; at++) {
      trade(A, 100 + at)
      await clock.advance(100)
    }
    const forming = seen(first)
    expect(forming.length).toBeLessThanOrEqual(9)
    expect(forming.length).toBeGreaterThanOrEqual(7)
    await clock.advance(1_000)
    expect(seen(first).at(-1)).toMatchObject({ state: 'forming', close: 119 })
    // Nobody trades: the clock closes it.
    await clock.advance(62_000)
    expect(states(first).filter((text) => text.includes('closed'))).toEqual(['09:30 closed 119'])
    const late = reader()
    add(late, A, '1m')
    add(late, A, '5m')
    await clock.advance(100)
    const day = late.socket.messages().filter(({ op }) => op === 'candle_snapshot')
    expect(day).toMatchObject([
      {
        interval: '1m',
        candles: [{ state: 'closed', close: 119, open: 100, high: 119, time_basis: 'exchange' }],
      },
      { interval: '5m', candles: [{ state: 'forming', close: 119 }] },
    ])
  })

  it('close with the next trade, and a late one revises them', async () => {
    const client = reader()
    add(client, A)
    add(client, A, '5s')
    trade(A, 100)
    await clock.advance(MINUTE - 100)
    trade(A, 101)
    await clock.advance(1_000)
    trade(A, 102)
    await clock.advance(100)
    expect(states(client).slice(-2)).toEqual(['09:30 closed 101', '09:31 forming 102'])
    trade(A, 90, 5)
    await clock.advance(100)
    // Of a minute and of five seconds: a later trade stays the close of both.
    expect(seen(client).filter(({ state }) => state === 'revised')).toMatchObject([
      { close: 101, low: 90 },
      { close: 101, low: 90 },
    ])
    await clock.advance(20_000)
    trade(A, 80, 25)
    await clock.advance(1_000)
    expect(states(client).at(-1)).not.toContain('80')
  })

  it('are written once for all clients of an owner, and apart for another', async () => {
    const [one, two, other] = [reader(), reader(), reader('another')]
    for (const each of [one, two]) add(each, A)
    await clock.advance(100)
    stream.add(other, { ...streamed('another', A), standing: 'no_session' }, instrument(A), '1m')
    trade(A, 100)
    await clock.advance(500)
    expect(states(one)).toEqual(['09:30 forming 100'])
    expect(states(two)).toEqual(states(one))
    // Nothing reaches an owner that none of its own accounts brings.
    expect(states(other)).toEqual([])
  })

  it('end when they are given up, and come back with the day within half a minute', async () => {
    const client = reader()
    add(client, A)
    await clock.advance(100)
    trade(A, 100)
    await clock.advance(500)
    expect([stream.remove(client, A, '1m'), stream.remove(client, A, '1m')]).toEqual([true, false])
    trade(A, 101)
    await clock.advance(20_000)
    expect(states(client)).toEqual(['09:30 forming 100'])
    add(client, A)
    await clock.advance(100)
    expect(seen(client, 'candle_snapshot')).toMatchObject([{ state: 'forming', close: 101 }])
    stream.removeAll(client)
    await clock.advance(40_000)
    add(client, A)
    await clock.advance(100)
    expect(seen(client, 'candle_snapshot').length).toBe(1)
  })

  it('of a client that reads too slowly are its day anew, not a pile', async () => {
    const [slow, other] = [reader(), reader()]
    add(slow, A)
    add(other, A)
    await clock.advance(100)
    slow.socket.reading = false
    slow.socket.send(JSON.stringify({ op: 'long', text: 'x'.repeat(300_000) }))
    for (let at = 0; at < 130; at++) {
      trade(A, 100 + at)
      await clock.advance(1_000)
    }
    expect(seen(other).length).toBeGreaterThan(100)
    expect(seen(slow)).toEqual([])
    slow.socket.sent.length = 0
    slow.socket.reading = true
    await clock.advance(100)
    expect(seen(slow, 'candle_snapshot').map(({ state }) => state)).toEqual(['closed', 'closed', 'forming'])
  })

  it('are bounded by client, owner and process; what is there already is not counted again', () => {
    begin(keepsNothing, { ...CANDLE_BOUNDS, perClientMax: 2, instrumentsPerOwnerMax: 2, instrumentsMax: 3 })
    const client = reader()
    add(client, 1)
    add(client, 1, '5m')
    expect(stream.refusalOf(client, [1], '1m')).toBeUndefined()
    expect(stream.refusalOf(client, [1], '1h')).toBe('client_limit')
    expect(stream.refusalOf(reader(), [2, 3], '1m')).toBe('owner_limit')
    expect(stream.refusalOf(reader(), [1, 2], '1m')).toBeUndefined()
    add(reader('another'), 1)
    add(reader('another'), 2)
    expect(stream.refusalOf(reader('third'), [9], '1m')).toBe('process_limit')
  })
})

describe('gaps in candles', () => {
  const gapsOf = (of: Reader) =>
    seen(of)
      .filter(({ state }) => state !== 'forming')
      .map(({ time, state, gap }) => `${time.slice(11, 16)} ${state} ${gap}`)

  it('before somebody looked are said: the candle that began before', async () => {
    const client = reader()
    add(client, A)
    await clock.advance(100)
    trade(A, 100)
    await clock.advance(MINUTE)
    trade(A, 101)
    await clock.advance(MINUTE + 5_000)
    expect(gapsOf(client)).toEqual(['09:30 closed true', '09:31 closed false'])
    const day = reader()
    add(day, A, '1h')
    await clock.advance(100)
    // It has no tick of 09:15 to 09:30.
    expect(seen(day, 'candle_snapshot')).toMatchObject([{ gap: true }])
  })

  it('are none when it was wanted before the opening', async () => {
    begin(keepsNothing, CANDLE_BOUNDS, T0 - 20 * MINUTE)
    const client = reader()
    add(client, A)
    await clock.advance(6 * MINUTE)
    trade(A, 100)
    await clock.advance(2 * MINUTE)
    expect(gapsOf(client)).toEqual(['09:16 closed false'])
  })

  it('of a socket that was down are marked from its last tick on, also in what was closed meanwhile', async () => {
    const client = reader()
    add(client, A)
    await clock.advance(2 * MINUTE)
    trade(A, 100)
    await clock.advance(50_000)
    trade(A, 101)
    await clock.advance(1_000)
    source.setServing(A, 'stale')
    await clock.advance(70_000)
    expect(gapsOf(client)).toEqual(['09:32 closed true'])
    source.setServing(A, 'live')
    stream.upstreamGap(new Map([[A, 'full']]))
    trade(A, 105)
    await clock.advance(2 * MINUTE)
    trade(A, 106)
    await clock.advance(MINUTE + 3_000)
    expect(gapsOf(client)).toEqual(['09:32 closed true', '09:34 closed true', '09:36 closed false'])
  })

  it('that were only feared are taken back, and one that is told of a moment later is marked after all', async () => {
    const client = reader()
    add(client, A)
    await clock.advance(2 * MINUTE)
    trade(A, 100)
    source.setServing(A, 'stale')
    await clock.advance(MINUTE + 5_000)
    source.setServing(A, 'live')
    await clock.advance(100)
    expect(gapsOf(client)).toEqual(['09:32 closed true', '09:32 revised false'])
    stream.upstreamGap(new Map([[A, 'full']]))
    await clock.advance(100)
    expect(gapsOf(client).at(-1)).toBe('09:32 revised true')
  })

  it('are filled from what is kept: restored at first, backfilled later', async () => {
    const bar = (minute: number, close: number) => ({
      ...{
        startMs: T0 - 15 * MINUTE + minute * MINUTE,
        open: 1,
        high: 200,
        low: 1,
        close,
        volume: 7,
        oi: null,
      },
      ...{ gap: false, timeBasis: 'exchange' as const },
    })
    let isFilled = false
    begin({
      ...keepsNothing,
      async restore(series) {
        series.restore([bar(0, 50)])
      },
      fillGaps(series, nowMs) {
        const [range] = series.gaps.toFill(nowMs - 10_000)
        if (!range || isFilled) return
        isFilled = true
        series.fill(range.fromMs, range.toMs, [bar(0, 50), bar(1, 60), bar(15, 70)])
        range.isFilled = true
      },
    })
    const client = reader()
    add(client, A)
    await clock.advance(100)
    expect(seen(client, 'candle_snapshot')).toMatchObject([{ close: 50, state: 'closed', gap: true }])
    trade(A, 100)
    await clock.advance(MINUTE + 20_000)
    expect(gapsOf(client)).toEqual([
      '09:30 closed true',
      '09:15 backfilled false',
      '09:16 backfilled false',
      '09:30 backfilled false',
    ])
  })
})
