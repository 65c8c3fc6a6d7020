import { impliedVolatility } from '@ticker/shared/option-pricing'
import { KiteConnect } from 'kiteconnect'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Simulator } from '../index.ts'
import {
  call,
  connected,
  INFY,
  MONDAY_MORNING_MS,
  NIFTY,
  startTestSimulator,
  USER,
} from '../testing/harness.ts'
import { fold, foldDay } from './bar.ts'

const candles = z.object({ candles: z.array(z.tuple([z.string()], z.number())) })
let simulator: Simulator
let wallMs = 0
beforeEach(async () => {
  wallMs = 0
  simulator = await startTestSimulator({ ticksPerSecond: 0, wallMs: () => wallMs })
})
afterEach(() => simulator.stop())

const get = (token: number, interval: string, query: Record<string, string>) =>
  call(simulator, 'GET', `/instruments/historical/${token}/${interval}?${new URLSearchParams(query)}`)
const rows = async (token: number, interval: string, from: string, to: string, more = {}) =>
  candles.parse((await get(token, interval, { from, to, ...more })).data).candles

describe('history', () => {
  it('has the minutes of a trading day in India’s time, the same each time, and none of a Sunday', async () => {
    const friday = await rows(INFY, 'minute', '2026-11-20', '2026-11-20 23:59:59')
    // INFY has derivatives: from 15:15 it is in the closing auction.
    expect(friday).toHaveLength(360)
    expect([friday[0]?.[0], friday.at(-1)?.[0]]).toEqual([
      '2026-11-20T09:15:00+0530',
      '2026-11-20T15:14:00+0530',
    ])
    expect(await rows(INFY, 'minute', '2026-11-20', '2026-11-20 23:59:59')).toEqual(friday)
    expect(await rows(INFY, 'minute', '2026-11-22', '2026-11-22 23:59:59')).toEqual([])
    for (const [, open = 0, high = 0, low = 0, close = 0, volume = 0] of friday)
      expect([high >= Math.max(open, close), low <= Math.min(open, close), volume > 0]).toEqual([
        true,
        true,
        true,
      ])
  })

  it('larger candles are made of the smaller ones', async () => {
    const of = (interval: string) => rows(INFY, interval, '2026-11-20', '2026-11-20 23:59:59')
    const minutes = await of('minute')
    const bars = minutes.map(([time, open = 0, high = 0, low = 0, close = 0, volume = 0]) => ({
      minute: Number(time.slice(11, 13)) * 60 + Number(time.slice(14, 16)),
      ...{ open, high, low, close, volume, oi: 0 },
    }))
    const hours = await of('60minute')
    expect(hours.map(([time]) => time.slice(11, 16)).slice(0, 2)).toEqual(['09:15', '10:15'])
    expect(hours.map((row) => row.slice(1))).toEqual(
      fold(bars, 60, 555).map(({ open, high, low, close, volume }) => [open, high, low, close, volume]),
    )
    const day = foldDay(bars)
    expect(await of('day')).toEqual([
      ['2026-11-20T00:00:00+0530', day?.open, day?.high, day?.low, day?.close, day?.volume],
    ])
  })

  it('ends now, with the candle that is forming', async () => {
    const today = await rows(INFY, 'minute', '2026-11-23', '2026-11-23 23:59:59')
    expect(today.at(-1)?.[0]).toBe('2026-11-23T10:00:00+0530')
  })

  it('has an option’s open interest, and the volatility that it ticks with', async () => {
    const at = '2026-11-20 11:00:00'
    const listed = await fetch(`${simulator.url}/instruments/NFO`)
    const spot = (await rows(NIFTY, 'minute', at, at))[0]?.[4] ?? 0
    const [option] = (await listed.text())
      .split('\n')
      .map((line) => line.split(','))
      .filter((row) => row[3] === '"NIFTY"' && row[9] === 'CE' && (row[5] ?? '') > '2026-12-10')
      .sort((one, other) => Math.abs(Number(one[6]) - spot) - Math.abs(Number(other[6]) - spot))
    const [token, expiry = '', strike] = [Number(option?.[0]), option?.[5], Number(option?.[6])]
    const [close = 0, interest] =
      (await rows(token, 'minute', at, at, { oi: '1' })).map((row) => [row[4], row[6]])[0] ?? []
    expect(interest).toBeGreaterThan(0)
    const years =
      (Date.parse(`${expiry}T15:30:00+05:30`) - Date.parse('2026-11-20T11:01:00+05:30')) / (365 * 86_400_000)
    const market = { model: 'bsm', underlying: spot, rate: 0.065, dividendYield: 0 } as const
    const implied = impliedVolatility({ type: 'CE', strike, years }, market, close)
    expect(implied.ok && Math.abs(implied.volatility - 0.13)).toBeLessThan(0.01)
  })

  it('is what was ticked where ticks were sent', async () => {
    const ticking = await startTestSimulator({ ticksPerSecond: 100 })
    const client = await connected(ticking)
    client.send({ a: 'mode', v: ['full', [INFY]] })
    await client.until((each) => each.ticks().length >= 20)
    const reply = await call(
      ticking,
      'GET',
      `/instruments/historical/${INFY}/minute?${new URLSearchParams({ from: '2026-11-23 10:00:00', to: '2026-11-23 10:00:00' })}`,
    )
    client.close()
    await ticking.stop()
    const [bar] = candles.parse(reply.data).candles
    const prices = client.ticks().map((tick) => tick.last_price)
    const [, open = 0, high = 0, low = 0] = bar ?? []
    expect(prices.slice(0, 10).every((price) => price <= high && price >= low)).toBe(true)
    // The first may be the one that the subscription was answered with.
    expect(prices.slice(0, 2)).toContain(open)
  })

  it('refuses as the broker does', async () => {
    const from = '2026-09-01'
    const refused = async (token: number, interval: string, query: Record<string, string>) => {
      const { http, error_type, message } = await get(token, interval, query)
      return [http, error_type, message]
    }
    const input = (message: string) => [400, 'InputException', message]
    expect(await refused(INFY, 'minute', { from, to: '2026-11-20' })).toEqual(
      input('interval exceeds max limit: 60 days'),
    )
    expect(await refused(INFY, 'day', { from: '2018-01-01', to: '2026-11-20' })).toEqual(
      input('interval exceeds max limit: 2000 days'),
    )
    expect(await refused(INFY, 'week', { from, to: from })).toEqual(input('invalid interval'))
    expect(await refused(1, 'day', { from, to: from })).toEqual(input('invalid token'))
    expect(await refused(INFY, 'day', { to: from })).toEqual(input('invalid from date'))
    expect(await refused(INFY, 'day', { from, to: '2026-08-01' })).toEqual(
      input('from date should be before to date'),
    )
    expect(await refused(INFY, 'day', { from, to: from, continuous: '1' })).toEqual(
      input('invalid interval for continuous data'),
    )
  })

  it('is read by the official client, three times a second', async () => {
    const limited = await startTestSimulator({
      rateLimits: true,
      wallMs: () => 1_000,
      startAtMs: MONDAY_MORNING_MS,
    })
    const kite = new KiteConnect({
      api_key: USER.api_key,
      access_token: USER.access_token,
      root: limited.url,
    })
    const ask = () =>
      kite.getHistoricalData(INFY, 'day', '2026-11-19 00:00:00', '2026-11-20 00:00:00', false, true)
    expect(await ask()).toHaveLength(2)
    await ask()
    await ask()
    await expect(ask()).rejects.toMatchObject({
      error_type: 'NetworkException',
      message: 'Too many requests',
    })
    await limited.stop()
  })
})
