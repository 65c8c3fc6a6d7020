// Candles of the past: from the broker once, then from Postgres; long ranges in parts; as lines; with an option's greeks.
import { addDays, historyLoad, historyPage, instrument, istDay } from '@ticker/shared/domain'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type Desk, refusalOf } from '../desk.ts'

/** Of the simulator's indices, with its smile. */
const [VOLATILITY, SMILE_MAX] = [0.13, 0.02]
const LONG_DAYS = 1_095
const DAYS_A_REQUEST = 60

const loads = z.object({ items: z.array(historyLoad) })

export function historySuite(desk: () => Desk) {
  describe('history', () => {
    let yesterday: string
    beforeAll(() => {
      yesterday = addDays(istDay(Date.now()), -1)
    })
    const path = (ref: string, query: Record<string, string>) =>
      `/v1/history/${encodeURIComponent(ref)}?${new URLSearchParams(query)}`
    const get = (ref: string, query: Record<string, string>, headers = {}) =>
      desk().api.request('GET', path(ref, query), undefined, headers)
    /** What loads of that instrument's minutes have cost; not of today's, with which gaps of live candles are filled. */
    const requests = async (of: string) => {
      const { items } = await desk().api.call(loads, 'GET', '/v1/history-loads?limit=200')
      const own = items.filter(
        ({ instrument, interval, to }) => instrument === of && interval === '1m' && to <= yesterday,
      )
      return own.reduce((sum, { broker_calls }) => sum + broker_calls, 0)
    }
    const page = async (response: Response) => historyPage.parse(await response.json())

    it('a range is asked of the broker once', async () => {
      const range = { from: addDays(yesterday, -9), to: yesterday, limit: '5000' }
      const first = await get('NSE:INFY', range)
      expect(first.status).toBe(200)
      const { candles, complete } = await page(first)
      expect(complete).toBe(true)
      expect(candles[0]?.time).toMatch(/T09:15:00\+05:30$/)
      expect(candles.length).toBeGreaterThanOrEqual(4 * 360)
      expect(await requests('NSE:INFY')).toBe(1)
      expect((await page(await get('408065', range))).candles).toEqual(candles)
      expect(await requests('NSE:INFY')).toBe(1)
    })

    it('a long one comes in parts while it is fetched, each candle once, and then as lines at once', async () => {
      const range = { from: addDays(yesterday, 1 - LONG_DAYS), to: yesterday, limit: '5000' }
      const first = await get('NSE:TCS', range, { Prefer: 'wait=0' })
      expect(first.status).toBe(202)
      expect((await page(first)).loads).toMatchObject([{ instrument: 'NSE:TCS', days: { total: LONG_DAYS } }])
      const times: string[] = []
      let cursor: string | null = ''
      let partial = 0
      while (cursor !== null) {
        const response = await get(
          'NSE:TCS',
          { ...range, ...(cursor ? { cursor } : {}) },
          { Prefer: 'wait=1' },
        )
        if (!response.ok) throw new Error(await response.text())
        if (response.status === 202) partial += 1
        const part = await page(response)
        times.push(...part.candles.map(({ time }) => time))
        cursor = part.next_cursor
      }
      expect(partial).toBeGreaterThan(0)
      expect(times).toEqual([...new Set(times)].sort())
      const asked = Math.ceil(LONG_DAYS / DAYS_A_REQUEST)
      expect(await requests('NSE:TCS')).toBe(asked)
      const csv = await get('NSE:TCS', { ...range, format: 'csv' })
      const [head, ...lines] = (await csv.text()).trimEnd().split('\n')
      expect([head, lines.length]).toEqual(['time,open,high,low,close,volume,oi', times.length])
      const ndjson = await get('NSE:TCS', range, { Accept: 'application/x-ndjson' })
      expect((await ndjson.text()).trimEnd().split('\n').length).toBe(times.length)
      expect(await requests('NSE:TCS')).toBe(asked)
    })

    it('an option’s closes have the volatility that the market prices with', async () => {
      const from = addDays(yesterday, -6)
      const index = await page(await get('NSE:NIFTY 50', { from, to: yesterday, interval: 'day' }))
      const close = index.candles.at(-1)?.close ?? 0
      const listed = z.object({ items: z.array(instrument) })
      const search = `/v1/instruments?exchange=NFO&name=NIFTY&type=CE&limit=1000&strike_min=${close - 200}&strike_max=${close + 200}`
      const { items } = await desk().api.call(listed, 'GET', search)
      const expiry = [...new Set(items.map((each) => each.expiry))].sort()[1]
      const option = items.find((each) => each.expiry === expiry)
      const response = await get(`NFO:${option?.tradingsymbol}`, {
        ...{ from, to: yesterday, interval: '15m', greeks: 'true' },
      })
      expect(response.status).toBe(200)
      const { candles, pricing } = await page(response)
      expect(pricing).toMatchObject({ model: 'bsm', underlying: 'NSE:NIFTY 50' })
      const priced = candles.filter((candle) => candle.unavailable === null)
      expect(priced.length).toBeGreaterThan(50)
      for (const { iv, oi } of priced) {
        expect(Math.abs((iv ?? 0) - VOLATILITY)).toBeLessThan(SMILE_MAX)
        expect(oi).toBeGreaterThan(0)
      }
      // Options trade on when the index stands still.
      expect(new Set(candles.map(({ unavailable }) => unavailable))).toEqual(new Set([null, 'no_underlying']))
    })

    it('of today there are those candles that have ended', async () => {
      const response = await get('NSE:SBIN', { from: addDays(yesterday, 1), limit: '5000' })
      expect(response.status).toBe(200)
      const { candles, complete } = await page(response)
      expect(complete).toBe(true)
      for (const { time } of candles) expect(Date.parse(time) + 60_000).toBeLessThan(Date.now())
    })

    it('what cannot be had is said by name', async () => {
      const from = yesterday
      const refused = async (ref: string, query: Record<string, string> = {}) =>
        refusalOf(await get(ref, { from, ...query }))
      expect(await refused('NSE:NOPE')).toEqual([404, 'instrument_not_found'])
      expect(await refused('NSE:INFY', { interval: '7m' })).toEqual([400, 'history_interval_unknown'])
      expect(await refused('NSE:INFY', { to: addDays(yesterday, 3) })).toEqual([
        422,
        'history_range_in_future',
      ])
      expect(await refused('NSE:INFY', { from: '2008-01-01' })).toEqual([422, 'history_range_too_long'])
      expect(await refused('NSE:INFY', { greeks: 'true' })).toEqual([422, 'greeks_not_possible'])
      const idle = await desk().keyWith({ scopes: ['stream'], account_ids: ['idle'] })
      const loggedOut = await idle.request('GET', path('NSE:RELIANCE', { from, interval: '1h' }))
      expect(await refusalOf(loggedOut)).toEqual([409, 'session_inactive'])
    })
  })
}
