import { beforeEach, describe, expect, it } from 'vitest'
import { CANDLE_BOUNDS } from '../candles/bounds.ts'
import { received } from '../testing/received.ts'
import { type StreamHarness, streamHarness } from '../testing/stream-harness.ts'

const [A, B] = [257, 513]
let harness: StreamHarness
let stop: AbortController

beforeEach(() => {
  harness = streamHarness([A, B])
  stop = new AbortController()
  void harness.candles.run(stop.signal)
  return () => stop.abort()
})

const trade = (token: number, price: number, volume: number) => {
  const atS = Math.floor(harness.clock.nowMs() / 1_000)
  harness.source.send({
    ...{ instrument_token: token, last_price: price, volume_traded: volume, oi: 5 },
    ...{ last_trade_time_s: atS, exchange_timestamp_s: atS },
  })
}
/** Held against the published schemas. */
const told = ({ socket }: ReturnType<StreamHarness['join']>) => received(socket.sent)
const of = (client: ReturnType<StreamHarness['join']>, op: string) =>
  told(client).filter((message) => message.op === op)

describe('candles on /v1/stream', () => {
  it('are answered by the state of each instrument, then the day so far, then what changes', async () => {
    const client = harness.join()
    harness.source.send({ instrument_token: A, last_price: 100, last_trade_time_s: 1 })
    client.say({ op: 'subscribe_candles', id: 7, instruments: [A, 'NSE:SYM513', 'NSE:NOPE'], interval: '1m' })
    expect(told(client).at(-1)).toEqual({
      ...{ op: 'candles_subscribed', id: 7, interval: '1m', unknown: ['NSE:NOPE'] },
      instruments: [
        { instrument_token: A, exchange: 'NSE', tradingsymbol: 'SYM257', state: 'live' },
        { instrument_token: B, exchange: 'NSE', tradingsymbol: 'SYM513', state: 'waiting' },
      ],
    })
    await harness.clock.advance(100)
    trade(A, 100.05, 10)
    await harness.clock.advance(100)
    expect(client.ops().slice(-3)).toEqual(['candle_snapshot', 'candle_snapshot', 'candles'])
    expect(told(client).at(-1)).toEqual({
      ...{ op: 'candles', interval: '1m' },
      candles: [
        {
          ...{ instrument_token: A, state: 'forming', time: '2026-11-23T09:30:00+05:30' },
          ...{ open: 100.05, high: 100.05, low: 100.05, close: 100.05, volume: 10, oi: 5 },
          ...{ gap: true, time_basis: 'exchange' },
        },
      ],
    })
  })

  it('hold the instrument in full mode until the last of its intervals is given up', async () => {
    const client = harness.join()
    harness.source.setRoom('desk', 10)
    harness.source.want('desk', [])
    const mode = () => {
      harness.source.settle()
      return harness.source.target('desk').get(A)
    }
    expect(mode()).toBeUndefined()
    client.say({ op: 'subscribe', instruments: [A], mode: 'ltp' })
    expect(mode()).toBe('ltp')
    for (const interval of ['1m', '5m']) client.say({ op: 'subscribe_candles', instruments: [A], interval })
    expect(mode()).toBe('full')
    client.say({ op: 'unsubscribe_candles', instruments: [A, B], interval: '1m' })
    expect(of(client, 'candles_unsubscribed')).toMatchObject([{ interval: '1m', instrument_tokens: [A] }])
    const until = new AbortController()
    void harness.source.runInterest(until.signal)
    await harness.clock.advance(40_000)
    expect(mode()).toBe('full')
    client.say({ op: 'unsubscribe_candles', instruments: ['NSE:SYM257'], interval: '5m' })
    await harness.clock.advance(40_000)
    expect(mode()).toBe('ltp')
    until.abort()
  })

  it('end with the client, and leave nothing held', async () => {
    const client = harness.join()
    client.say({ op: 'subscribe_candles', instruments: [A], interval: '1m' })
    await harness.clock.advance(100)
    harness.hub.leave(client.client)
    const before = client.socket.sent.length
    trade(A, 1, 1)
    await harness.clock.advance(1_000)
    expect([client.socket.sent.length, client.client.candles.size]).toEqual([before, 0])
  })

  it('say when an instrument of theirs is live, stale or streamed no more, once to who has its ticks too', async () => {
    const [client, both] = [harness.join(), harness.join()]
    harness.source.tick(A, 100)
    for (const each of [client, both]) each.say({ op: 'subscribe_candles', instruments: [A], interval: '1s' })
    both.say({ op: 'subscribe', instruments: [A] })
    harness.source.setServing(A, 'stale')
    harness.hub.updateStates()
    const stale = { op: 'state', state: 'stale', instrument_tokens: [A] }
    expect([of(client, 'state'), of(both, 'state')]).toEqual([[stale], [stale]])
  })

  it('are refused beyond what a client and its key may have, and then nothing changed', () => {
    const client = harness.join('desk', 3_600_000, 'json', 1)
    client.say({ op: 'subscribe_candles', id: 1, instruments: [A, B], interval: '1m' })
    expect(of(client, 'error')).toMatchObject([{ id: 1, code: 'too_many_instruments' }])
    expect(client.client.candles.size).toBe(0)
    const many = Array.from({ length: CANDLE_BOUNDS.perClientMax + 1 }, (_, index) => 256 * (index + 1) + 1)
    const large = streamHarness(many)
    const asking = large.join()
    asking.say({ op: 'subscribe_candles', id: 2, instruments: many, interval: '1m' })
    expect(of(asking, 'error')).toMatchObject([{ id: 2, code: 'too_many_candles' }])
  })

  it('of an interval that there is not are refused by name', () => {
    const client = harness.join()
    client.say({ op: 'subscribe_candles', instruments: [A], interval: '2m' })
    expect(of(client, 'error')).toMatchObject([
      { code: 'invalid_request', message: expect.stringMatching(/^interval/) },
    ])
  })

  it('are text in binary streams, and events in server-sent ones', async () => {
    const [binary, events] = [harness.join('desk', 9e6, 'binary'), harness.join('desk', 9e6, 'sse')]
    for (const each of [binary, events])
      each.say({ op: 'subscribe_candles', instruments: [A], interval: '1m' })
    await harness.clock.advance(100)
    for (const each of [binary, events])
      expect(told(each).at(-1)).toMatchObject({ op: 'candle_snapshot', instrument_token: A, candles: [] })
    expect(events.socket.sent.at(-1)).toMatch(/^event: candle_snapshot\ndata: \{.*\}\n\n$/)
  })
})
