import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Simulator } from '../index.ts'
import { call, connected, INFY, NIFTY, startTestSimulator, type TickerClient } from '../testing/harness.ts'

let simulator: Simulator
let client: TickerClient
let future: number
let uncommon: number
beforeEach(async () => {
  simulator = await startTestSimulator()
  client = await connected(simulator)
  future = await tokenOf('NFO', 'NIFTY26DECFUT')
  uncommon = await tokenOf('NSE', 'IDEA')
})
afterEach(() => simulator.stop())

async function tokenOf(exchange: string, symbol: string): Promise<number> {
  const dump = await (await fetch(`${simulator.url}/instruments/${exchange}`)).text()
  return Number(
    dump
      .split('\n')
      .find((line) => line.split(',')[2] === symbol)
      ?.split(',')[0],
  )
}

const market = (body: Record<string, unknown>) => call(simulator, 'POST', '/sim/market', body)
const clock = (set: string) => call(simulator, 'POST', '/sim/clock', { set })
const isHushed = () => client.received.slice(-3).every((one) => one.kind === 'heartbeat')
const watch = (tokens: number[]) => client.send({ a: 'mode', v: ['full', tokens] })
const from = () => client.ticks().length
const hears = (token: number, after: number, times = 3) =>
  client.until(
    (seen) =>
      seen
        .ticks()
        .slice(after)
        .filter((tick) => tick.instrument_token === token).length >= times,
  )
const heardSince = (after: number) =>
  new Set(
    client
      .ticks()
      .slice(after)
      .map((tick) => tick.instrument_token),
  )

describe('the market', () => {
  it('is open by default whatever the clock says', async () => {
    await clock('2026-11-22T03:00:00+05:30')
    watch([INFY])
    await hears(INFY, 0, 10)
  })

  it('closed: heartbeats go on, no ticks, and a subscription still gets the cached one', async () => {
    await market({ calendar: 'closed' })
    watch([INFY])
    await client.until((seen) => seen.ticks().length === 1 && isHushed())
    await market({ calendar: 'always_open', segments: ['NSE'] })
    await hears(INFY, 1)
  })

  it('by the calendar: in the closing auction the spot stands still, others and derivatives trade', async () => {
    await market({ calendar: 'real' })
    await clock('2026-11-23T15:16:00+05:30')
    watch([INFY, NIFTY, uncommon, future])
    await hears(future, 20)
    const after = from()
    await hears(future, after, 20)
    expect(heardSince(after)).toEqual(new Set([uncommon, future]))
    const state = await call(simulator, 'GET', '/sim/state')
    expect(Object(state.data).market).toMatchObject({
      NSE: { calendar: 'real', phase: 'open', confirmed: true },
      'NSE-CAS': { phase: 'closing_auction', until: '2026-11-23T10:05:00.000Z' },
      NFO: { phase: 'open' },
      MCX: { phase: 'open', confirmed: false },
    })
    await clock('2026-11-23T15:45:00+05:30')
    await client.until(isHushed)
    await clock('2026-11-23T09:16:00+05:30')
    await hears(INFY, from())
  })

  it('halts a segment and resumes it, the others trading on', async () => {
    watch([INFY, future])
    await hears(INFY, 0)
    await market({ halt: true, segments: ['NSE', 'BSE'] })
    // Both tick in every round, so ten of one in a row are proof.
    await client.until((seen) =>
      seen
        .ticks()
        .slice(-10)
        .every((tick) => tick.instrument_token === future),
    )
    expect(Object((await call(simulator, 'GET', '/sim/market')).data).NSE.phase).toBe('halted')
    await market({ halt: false })
    await hears(INFY, from())
  })

  it('refuses what it does not understand', async () => {
    expect((await market({})).http).toBe(400)
    expect((await market({ calendar: 'real', segment: 'NSE' })).http).toBe(400)
    expect((await market({ halt: true, segments: ['NYSE'] })).http).toBe(400)
  })
})

describe('instruments that hardly trade', () => {
  const conduct = (tokens: number[], value: string) =>
    call(simulator, 'POST', '/sim/instruments', { tokens, conduct: value })

  it('never traded: price, time and close are zero, and no tick follows', async () => {
    await conduct([INFY], 'never')
    watch([INFY, NIFTY])
    await hears(NIFTY, 0, 30)
    const mine = client.ticks().filter((tick) => tick.instrument_token === INFY)
    expect(mine).toHaveLength(1)
    expect(mine[0]).toMatchObject({ last_price: 0, volume_traded: 0, ohlc: { close: 0 } })
    expect(mine[0]?.exchange_timestamp_s ?? null).toBeNull()
    await conduct([INFY], 'normal')
    await hears(INFY, from())
    expect(client.ticks().findLast((tick) => tick.instrument_token === INFY)?.last_price).toBeGreaterThan(0)
  })

  it('trade rarely', async () => {
    await conduct([INFY], 'rare')
    watch([INFY, NIFTY])
    await hears(NIFTY, 0, 100)
    expect(client.ticks().filter((tick) => tick.instrument_token === INFY).length).toBeLessThan(20)
  })

  it.each([
    ['upper_circuit', 'sell', 'buy', 1.2],
    ['lower_circuit', 'buy', 'sell', 0.8],
  ] as const)('on the %s: nobody on the %s side', async (kind, empty, full, factor) => {
    await conduct([INFY], kind)
    watch([INFY])
    await client.until((seen) => seen.ticks().length > 0)
    const [tick] = client.ticks()
    expect(tick?.depth?.[empty].every(({ quantity, price }) => quantity === 0 && price === 0)).toBe(true)
    expect(tick?.depth?.[full][0]?.quantity).toBeGreaterThan(0)
    expect(tick?.last_price).toBeCloseTo((tick?.ohlc?.close ?? 0) * factor, 0)
  })

  it('exist in a share of the market that is asked for, the same ones from a seed', async () => {
    const thin = await startTestSimulator({ thinShare: 0.2, ticksPerSecond: 0 })
    const dump = (await (await fetch(`${thin.url}/instruments/NSE`)).text()).split('\n').slice(1)
    const tokens = dump.map((line) => Number(line.split(',')[0]))
    const own = await connected(thin)
    own.send({ a: 'mode', v: ['full', tokens] })
    await own.until((seen) => seen.ticks().length === tokens.length)
    const zeros = own.ticks().filter((tick) => tick.last_price === 0).length
    expect(zeros / tokens.length).toBeGreaterThan(0.02)
    expect(zeros / tokens.length).toBeLessThan(0.12)
    await thin.stop()
  })

  it('are refused for tokens and conducts that do not exist', async () => {
    expect((await conduct([99 * 256 + 1], 'rare')).http).toBe(404)
    expect((await conduct([INFY], 'sometimes')).http).toBe(400)
  })
})
