import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { Market } from '../calendar/market.ts'
import { SimClock } from '../clock.ts'
import { generateInstruments } from '../instruments/generate.ts'
import { InstrumentBook } from '../instruments/instrument-book.ts'
import { call, connected, INFY, NIFTY, startTestSimulator } from '../testing/harness.ts'
import { tempFile } from '../testing/temp-file.ts'
import { PriceEngine } from './engine.ts'
import { loadRecording } from './load-replay.ts'
import { normalCdf, optionPrice } from './option-price.ts'
import { addMissingInstruments, Replay } from './replay.ts'

const TODAY = '2026-11-23'
const NOW_MS = Date.parse('2026-11-23T10:00:00+05:30')

function engineOf(seed: number) {
  const book = new InstrumentBook(generateInstruments(seed, TODAY))
  const clock = new SimClock(() => NOW_MS)
  return { book, engine: new PriceEngine(clock, book, seed, new Market(clock, book)) }
}

async function recording(rows: string, name = 'ticks.csv') {
  const text = `timestamp,token,ltp\n${rows}\n`
  return tempFile(name, name.endsWith('.gz') ? gzipSync(text) : text)
}

describe('option prices', () => {
  it('match the textbook value and put-call parity', () => {
    expect(optionPrice('CE', 100, 100, 1, 0.2)).toBeCloseTo(11.3, 1)
    const parity = optionPrice('CE', 100, 90, 0.5, 0.3) - optionPrice('PE', 100, 90, 0.5, 0.3)
    expect(parity).toBeCloseTo(100 - 90 * Math.exp(-0.065 * 0.5), 5)
    expect(normalCdf(0)).toBeCloseTo(0.5, 6)
  })
})

describe('the generated process', () => {
  const walk = (seed: number) => {
    const { book, engine } = engineOf(seed)
    const option = book.find('NFO', 'NIFTY26NOV25000CE')?.instrument_token ?? 0
    for (const token of [INFY, NIFTY, option]) engine.watch(token)
    const seen: string[] = []
    engine.listen({
      onTick: ({ fields }) =>
        seen.push(`${fields.instrument_token}:${fields.last_price}:${fields.volume_traded}`),
      onRoundEnd: () => seen.push('-'),
    })
    for (let round = 0; round < 200; round++) engine.step(0.25, 0.5)
    return seen
  }

  it('is the same for the same seed and another for another', () => {
    expect(walk(1)).toEqual(walk(1))
    expect(walk(1)).not.toEqual(walk(2))
  })

  it('ticks only what is watched', () => {
    const { engine } = engineOf(1)
    engine.watch(INFY)
    engine.watch(INFY)
    engine.step(1, 1)
    engine.unwatch(INFY)
    engine.step(1, 1)
    engine.unwatch(INFY)
    engine.step(1, 1)
    expect(engine.ticks).toBe(2)
    expect(engine.watched).toBe(0)
  })

  it('prices options from their underlying: calls fall and puts rise with the strike', () => {
    const { book, engine } = engineOf(1)
    const price = (symbol: string) => {
      const token = book.find('NFO', symbol)?.instrument_token ?? 0
      return engine.quote(token)?.fields.last_price ?? Number.NaN
    }
    expect(price('NIFTY26DEC24500CE')).toBeGreaterThan(price('NIFTY26DEC25500CE'))
    expect(price('NIFTY26DEC24500PE')).toBeLessThan(price('NIFTY26DEC25500PE'))
    const spot = engine.quote(NIFTY)?.fields.last_price ?? 0
    expect(price('NIFTY26DECFUT')).toBeGreaterThan(spot)
  })

  it('starts a new day with yesterday’s last price as close and volume from zero', () => {
    let now = NOW_MS
    const book = new InstrumentBook(generateInstruments(1, TODAY))
    const clock = new SimClock(() => now)
    const engine = new PriceEngine(clock, book, 1, new Market(clock, book))
    engine.watch(INFY)
    for (let round = 0; round < 20; round++) engine.step(0.25, 1)
    const last = engine.quote(INFY)?.fields.last_price
    const volume = engine.quote(INFY)?.fields.volume_traded ?? 0
    now += 86_400_000
    engine.step(0.25, 1)
    expect(engine.quote(INFY)?.fields.ohlc.close).toBe(last)
    expect(engine.quote(INFY)?.fields.volume_traded).toBeLessThan(volume)
  })
})

describe('replay', () => {
  const ROWS = ['09:15:00.000001', '09:15:00.000001', '09:15:01.5', '09:15:03'].map(
    (time, index) => `2025-10-09 ${time},${NIFTY},${25_000 + index}`,
  )

  it('sends every row once, in order, at its recorded pace times the speed', async () => {
    const { engine } = engineOf(1)
    const replay = new Replay(engine, await loadRecording([await recording(ROWS.join('\n'))]), 2)
    const prices: number[] = []
    engine.listen({ onTick: ({ fields }) => prices.push(fields.last_price), onRoundEnd: () => {} })
    expect(engine.quote(NIFTY)?.hasTick).toBe(false)
    replay.pump(1_000, 'on_subscribe')
    expect(replay.view()).toMatchObject({ state: 'waiting', sent: 0, rows: 4, watched: 0 })
    engine.watch(NIFTY)
    expect(replay.view().watched).toBe(1)
    replay.pump(1_000, 'on_subscribe')
    expect(prices).toEqual([25_000, 25_001])
    replay.pump(1_749, 'on_subscribe')
    expect(prices).toHaveLength(2)
    replay.pump(1_750, 'on_subscribe')
    expect(prices).toHaveLength(3)
    replay.pump(99_000, 'on_subscribe')
    replay.pump(99_001, 'on_subscribe')
    expect(prices).toEqual([25_000, 25_001, 25_002, 25_003])
    expect(replay.view()).toMatchObject({ state: 'finished', sent: 4 })
    engine.step(1, 1)
    expect(prices).toHaveLength(4)
    replay.end()
    engine.step(1, 1)
    expect(prices).toHaveLength(5)
  })

  it.each([1, 10, 100])('plays at %i times the recorded pace', async (speed) => {
    const { engine } = engineOf(1)
    const replay = new Replay(engine, await loadRecording([await recording(ROWS.join('\n'))]), speed)
    replay.pump(0, 'now')
    const sentAt = [1_499, 1_501, 2_999, 3_001].map((recordedMs) => {
      replay.pump(recordedMs / speed, 'now')
      return replay.view().sent
    })
    expect(sentAt).toEqual([2, 3, 3, 4])
  })

  it('merges files in time order and reads gzip', async () => {
    const other = await recording(`2025-10-09 09:15:01,${INFY},1500`, 'other.csv.gz')
    const ticks = await loadRecording([other, await recording(ROWS.join('\n'))])
    expect(ticks.map((tick) => tick.token)).toEqual([NIFTY, NIFTY, INFY, NIFTY, NIFTY])
    expect(ticks[2]?.at_ms).toBe(Date.parse('2025-10-09T03:45:01Z'))
  })

  it('names the row of a file that is no recording', async () => {
    await expect(loadRecording([await recording('yesterday,1,2')])).rejects.toThrow(/row 1/)
  })

  it('adds instruments it needs and lacks', () => {
    const { book } = engineOf(1)
    expect(addMissingInstruments(book, [NIFTY, 10924290, 999_999 * 256 + 9, 77_777 * 256 + 1], NOW_MS)).toBe(
      3,
    )
    expect(book.get(10924290)).toMatchObject({ exchange: 'NFO', segment: 'NFO-FUT', expiry: '2026-12-23' })
  })

  it('reaches a socket complete even at very high speed, with the recorded exchange time', async () => {
    const simulator = await startTestSimulator()
    const rows = Array.from({ length: 4_000 }, (_, index) => {
      const time = new Date(Date.parse('2025-10-09T09:15:00Z') + index * 500).toISOString()
      return `${time.slice(0, 23).replace('T', ' ')},${NIFTY},${20_000 + index}`
    })
    const path = await recording(rows.join('\n'))
    const started = await call(simulator, 'POST', '/sim/replay', {
      path,
      speed: 100_000,
      start: 'on_subscribe',
    })
    expect(started.data).toMatchObject({ rows: 4_000, state: 'waiting' })
    const client = await connected(simulator)
    client.send({ a: 'mode', v: ['full', [NIFTY]] })
    await client.until((seen) => seen.ticks().length >= 4_000)
    const ticks = client.ticks()
    expect(ticks.map((tick) => tick.last_price)).toEqual(rows.map((_, index) => 20_000 + index))
    expect(ticks[0]?.exchange_timestamp_s).toBe(Date.parse('2025-10-09T09:15:00+05:30') / 1000)
    expect((await call(simulator, 'GET', '/sim/replay')).data).toMatchObject({
      state: 'finished',
      sent: 4_000,
    })
    await call(simulator, 'DELETE', '/sim/replay')
    expect((await call(simulator, 'GET', '/sim/replay')).data).toBeNull()
    expect((await call(simulator, 'POST', '/sim/replay', { path: '/no/such' })).http).toBe(400)
    expect((await call(simulator, 'POST', '/sim/replay', {})).http).toBe(400)
    await simulator.stop()
  })
})

it('/sim/prices moves an underlying and everything priced from it', async () => {
  const simulator = await startTestSimulator()
  const setPrice = (token: number, price: number) => call(simulator, 'POST', '/sim/prices', { token, price })
  const client = await connected(simulator)
  client.send({ a: 'subscribe', v: [NIFTY] })
  const near = (price: number) => (tick: { last_price: number }) =>
    Math.abs(tick.last_price - price) < price / 100
  expect((await setPrice(NIFTY, 30_000)).http).toBe(200)
  await client.until((seen) => seen.ticks().some(near(30_000)))
  const call25000 = 'NFO:NIFTY26NOV25000CE'
  const quoted = async () =>
    Number(
      Object(Object((await call(simulator, 'GET', `/quote/ltp?i=${call25000}`)).data)[call25000]).last_price,
    )
  expect(await quoted()).toBeGreaterThan(4_900)
  expect((await setPrice(1, 100)).http).toBe(404)
  expect((await setPrice(NIFTY, 0)).http).toBe(400)
  const path = await recording(`2025-10-09 09:15:00,${NIFTY},25000`)
  await call(simulator, 'POST', '/sim/replay', { path })
  expect((await setPrice(NIFTY, 26_000)).message).toContain('a recording drives')
  await simulator.stop()
})
