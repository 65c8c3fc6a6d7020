import { isIndexToken } from '@ticker/shared/kite-wire'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Simulator } from '../index.ts'
import {
  call,
  connect,
  connected,
  INFY,
  NIFTY,
  startTestSimulator,
  type TickerClient,
} from '../testing/harness.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startTestSimulator()
})
afterAll(() => simulator.stop())

/** Two seconds' worth, at the broker's pace, of nothing but keep-alives. */
function onlyHeartbeats(client: TickerClient): boolean {
  const latest = client.received.slice(-3)
  return latest.length === 3 && latest.every((one) => one.kind === 'heartbeat')
}

describe('the door', () => {
  it('refuses wrong tokens with 403 and other paths with 404, before the upgrade', async () => {
    expect(await connect(simulator, 'wrong')).toBe(403)
    expect(await connect(simulator, undefined, '/elsewhere')).toBe(404)
  })

  it('refuses the fourth socket of an api key with 429', async () => {
    const own = await startTestSimulator()
    for (const _ of [1, 2, 3]) await connected(own)
    expect(await connect(own)).toBe(429)
    await own.stop()
  })
})

describe('subscriptions', () => {
  it('send the cached last tick at once, in quote mode by default', async () => {
    const frozen = await startTestSimulator({ ticksPerSecond: 0 })
    const client = await connected(frozen)
    client.send({ a: 'subscribe', v: [INFY, NIFTY] })
    await client.until((seen) => seen.ticks().length === 2)
    expect(client.ticks().map((tick) => [tick.instrument_token, tick.mode])).toEqual([
      [INFY, 'quote'],
      [NIFTY, 'quote'],
    ])
    await frozen.stop()
  })

  it('change with mode, and mode alone subscribes', async () => {
    const client = await connected(simulator)
    client.send({ a: 'mode', v: ['full', [INFY]] })
    await client.until((seen) => seen.ticks().some((tick) => tick.mode === 'full'))
    client.send({ a: 'mode', v: ['ltp', [INFY]] })
    await client.until((seen) => seen.ticks().at(-1)?.mode === 'ltp')
    client.send({ a: 'unsubscribe', v: [INFY] })
    await client.until(onlyHeartbeats)
    client.close()
  })

  it('ignore string tokens, nested lists, unknown actions and text that is not JSON', async () => {
    const client = await connected(simulator)
    for (const message of [
      { a: 'subscribe', v: [String(INFY)] },
      { a: 'mode', v: ['full', [[INFY]]] },
      { a: 'dance', v: [] },
      null,
    ]) {
      client.send(message)
    }
    client.sendRaw('{')
    await client.until((seen) => seen.received.filter((one) => one.kind === 'heartbeat').length > 2)
    expect(client.ticks()).toEqual([])
    client.close()
  })

  it('stop at 3,000 with a text error, and the socket stays', async () => {
    const client = await connected(simulator)
    client.send({
      a: 'subscribe',
      v: Array.from({ length: 3_001 }, (_, index) => 1_000_000 * 256 + index * 256 + 1),
    })
    await client.until((seen) => seen.texts().length > 0)
    expect(client.texts()).toEqual([
      '{"type":"error","data":"Can\'t subscribe to more than 3000 instruments."}',
    ])
    client.close()
  })
})

describe('ticks', () => {
  it('stay believable: depth around the last price, OHLC around it, volume and time never back', async () => {
    const client = await connected(simulator)
    const chain = await fetch(`${simulator.url}/instruments/NFO`)
    const tokens = (await chain.text())
      .split('\n')
      .slice(1, 60)
      .map((line) => Number(line.split(',')[0]))
    client.send({ a: 'mode', v: ['full', [...tokens, INFY, NIFTY]] })
    await client.until((seen) => seen.ticks().length > 1_500)
    const volumes = new Map<number, number>()
    for (const tick of client.ticks()) {
      const { ohlc, depth, last_price: last } = tick
      expect(last).toBeGreaterThan(0)
      if (ohlc === undefined) expect.unreachable()
      expect(ohlc.low).toBeLessThanOrEqual(Math.min(last, ohlc.open))
      expect(ohlc.high).toBeGreaterThanOrEqual(Math.max(last, ohlc.open))
      expect(tick.exchange_timestamp_s).toBeGreaterThan(1_700_000_000)
      if (isIndexToken(tick.instrument_token)) continue
      const bid = depth?.buy[0]?.price ?? 0
      const ask = depth?.sell[0]?.price ?? 0
      expect(bid).toBeLessThan(ask)
      expect(bid).toBeLessThanOrEqual(last)
      expect(ask).toBeGreaterThanOrEqual(last)
      expect(tick.volume_traded ?? 0).toBeGreaterThanOrEqual(volumes.get(tick.instrument_token) ?? 0)
      volumes.set(tick.instrument_token, tick.volume_traded ?? 0)
    }
    client.close()
  })
})

describe('faults on the socket', () => {
  const arm = (body: Record<string, unknown>) => call(simulator, 'POST', '/sim/faults', body)
  const clear = () => call(simulator, 'DELETE', '/sim/faults')

  it('mute stops ticks but not heartbeats, and ends when cleared', async () => {
    const client = await connected(simulator)
    client.send({ a: 'subscribe', v: [INFY] })
    await client.until((seen) => seen.ticks().length > 3)
    await arm({ kind: 'mute', user_id: 'AB1234' })
    await client.until(onlyHeartbeats)
    const ticks = client.ticks().length
    await clear()
    await client.until((seen) => seen.ticks().length > ticks + 3)
    client.close()
  })

  it('silence stops everything, text frames too', async () => {
    const client = await connected(simulator)
    await arm({ kind: 'silence', user_id: 'AB1234' })
    const heard = client.received.length
    await call(simulator, 'POST', '/sim/frames', { user_id: 'AB1234', type: 'message', data: 'unheard' })
    await clear()
    await client.until((seen) => seen.received.length > heard && onlyHeartbeats(seen))
    expect(client.texts()).toEqual([])
    client.close()
  })

  it('drop_socket cuts the TCP connection, upgrade_403 and token_dead close the door', async () => {
    const client = await connected(simulator)
    expect((await arm({ kind: 'drop_socket', user_id: 'AB1234' })).data).toEqual({ dropped: 1 })
    await client.until((seen) => seen.received.at(-1)?.kind === 'closed')
    await arm({ kind: 'upgrade_403', count: 1 })
    expect(await connect(simulator)).toBe(403)
    const again = await connected(simulator)
    expect((await arm({ kind: 'token_dead', user_id: 'AB1234' })).data).toEqual({ dead: 1 })
    expect(await connect(simulator)).toBe(403)
    again.close()
  })

  it('relays text frames to the user', async () => {
    const own = await startTestSimulator()
    const client = await connected(own)
    await call(own, 'POST', '/sim/frames', { user_id: 'AB1234', type: 'message', data: 'hello' })
    await client.until((seen) => seen.texts().length === 1)
    expect(client.texts()).toEqual(['{"type":"message","data":"hello"}'])
    await own.stop()
  })
})
