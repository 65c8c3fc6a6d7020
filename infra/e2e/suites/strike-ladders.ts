// A ladder on NIFTY from the API to the ticks in Redis: it follows the spot, retires what it left, and survives what
// takes it away. A client of a stream would subscribe what it looks at; readers of Redis only see what flows. Its expiry roll needs another day and is proven beside its code, on a clock that can have one.
import { decodeFrame, readPublishedFrame } from '@ticker/shared/kite-wire'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import type { Desk } from '../desk.ts'

const NIFTY_50 = 256_265
const STEP = 50
/** Promised: a move within some 6 s (looked at every second, moved at most every 5 s). */
const FOLLOWED_MS = 30_000
/** Promised: 60 s after they left. */
const RETIRED_MS = 100_000
/** Promised: 30 s after the last client. */
const RELEASED_MS = 60_000
/** No subscribed instrument of the simulator is quiet for so long. */
const SILENT_MS = 5_000

const ladder = z.object({
  instruments_max: z.number(),
  state: z.object({
    atm: z.number().nullable(),
    spot: z.object({ instrument: z.string(), price: z.number(), age_ms: z.number() }).nullable(),
    reason: z.string().nullable(),
  }),
})
const detail = ladder.extend({
  instruments: z.array(z.object({ tradingsymbol: z.string(), strike: z.number() })),
})
const option = z.object({
  instrument_token: z.number(),
  strike: z.number(),
  expiry: z.string(),
  tradingsymbol: z.string(),
})

export function strikeLadderSuite(desk: () => Desk) {
  describe('strike ladders', () => {
    let redis: Redis
    let reader: Redis
    /** When each instrument ticked last. */
    const tickedMs = new Map<number, number>()
    let chain: z.infer<typeof option>[]
    const get = () => desk().api.call(detail, 'GET', '/v1/strike-ladders/NIFTY')
    const setSpot = (price: number) => desk().simulator('POST', '/sim/prices', { token: NIFTY_50, price })
    /** Strikes whose options have ticked since then. */
    const ticking = (sinceMs: number) =>
      new Set(
        chain
          .filter(({ instrument_token }) => (tickedMs.get(instrument_token) ?? 0) >= sinceMs)
          .map(({ strike }) => strike),
      )
    const announced = async (type: string, strike: number, sinceMs: number) =>
      ((await redis.xRange('sim:events', String(sinceMs), '+')) ?? []).some((entry) => {
        const event = entry?.message.event ?? ''
        return event.includes(`"${type}"`) && event.includes(`${strike}PE`)
      })

    beforeAll(async () => {
      // A recording may hold the index still.
      await desk().simulator('DELETE', '/sim/replay')
      const page = z.object({ items: z.array(option) })
      const { items } = await desk().api.call(
        page,
        'GET',
        '/v1/instruments?exchange=NFO&name=NIFTY&type=PE&limit=1000',
      )
      const nearest = items.map((each) => each.expiry).sort()[0]
      chain = items.filter((each) => each.expiry === nearest)
      // Whatever other suites subscribed by name would hide what the ladder does.
      await desk().api.call(z.unknown(), 'DELETE', '/v1/subscriptions', {
        instruments: chain.map((each) => each.instrument_token),
      })
      // So would clients that have just left.
      await until(
        'nothing is held by clients',
        async () => (await desk().metric('ticker_interest_instruments')) === 0,
        RELEASED_MS,
      )
      redis = await connect(desk().system.redisUrl)
      reader = await connect(desk().system.redisUrl)
      await reader.pSubscribe(
        'sim:ticks:raw:*',
        (message) => {
          const frame = readPublishedFrame(new Uint8Array(message))
          if (!frame.ok) throw new Error(frame.reason)
          for (const tick of decodeFrame(frame.container)) tickedMs.set(tick.instrument_token, Date.now())
        },
        true,
      )
    })
    afterAll(() => {
      redis.destroy()
      reader.destroy()
    })

    it('subscribes its underlying and the options around the money, and their ticks flow', async () => {
      const put = await desk().api.call(ladder, 'PUT', '/v1/strike-ladders/NIFTY', {
        strikes: 2,
        mode: 'quote',
      })
      expect(put.instruments_max).toBe(2 + 2 * (5 + 6))
      await until('five strikes tick', async () => ticking(0).size >= 5)
      // An index that ticked long ago places the ladder first and is followed from its next tick.
      await until('it follows the index', async () => (await get()).state.reason === null)
      const { state, instruments } = await get()
      expect(state.spot).toMatchObject({ instrument: 'NSE:NIFTY 50' })
      const strikes = [...new Set(instruments.map((each) => each.strike).filter(Boolean))]
      expect(strikes).toEqual([-2, -1, 0, 1, 2].map((away) => (state.atm ?? 0) + away * STEP))
      expect(instruments.map((each) => each.tradingsymbol)).toContain('NIFTY 50')
    })

    it('follows the spot: new strikes flow within seconds, the old ones are retired a minute later, both are announced', async () => {
      const { atm } = (await get()).state
      const before = Date.now()
      const target = (atm ?? 0) + 4 * STEP
      await setSpot(target + 5)
      await until('the money has moved', async () => (await get()).state.atm === target, FOLLOWED_MS)
      await until('new strikes tick', async () => ticking(before).has(target + 2 * STEP), FOLLOWED_MS)
      // What left the band is kept for a minute: still subscribed, still ticking.
      expect(await announced('subscriptions_removed', atm ?? 0, before)).toBe(false)
      const movedMs = Date.now()
      await until('the old ones tick', async () => ticking(movedMs).has(atm ?? 0))
      await until(
        'old strikes are retired',
        async () => !(await get()).instruments.some(({ strike }) => strike === atm),
        RETIRED_MS,
      )
      await until('they tick no more', async () => !ticking(Date.now() - SILENT_MS).has(atm ?? 0))
      await until('both are announced', async () => {
        const added = await announced('subscriptions_added', target + 2 * STEP, before)
        return added && (await announced('subscriptions_removed', atm ?? 0, before))
      })
    })

    it('a strike that is also subscribed by name stays when the ladder goes', async () => {
      const { atm } = (await get()).state
      const before = Date.now()
      const named = chain.find((each) => each.strike === atm)
      await desk().subscribe([named?.instrument_token ?? 0], { mode: 'ltp', source: 'by-name' })
      expect((await desk().api.request('DELETE', '/v1/strike-ladders/NIFTY')).status).toBe(204)
      await until('the others are given up', async () =>
        announced('subscriptions_removed', (atm ?? 0) + STEP, before),
      )
      expect(await announced('subscriptions_removed', atm ?? 0, before)).toBe(false)
      const goneMs = Date.now()
      await until('it ticks on', async () => ticking(goneMs).has(atm ?? 0))
      await desk().api.call(z.unknown(), 'DELETE', '/v1/subscriptions', {
        instruments: [named?.instrument_token],
        source: 'by-name',
      })
    })
  })
}

type Redis = Awaited<ReturnType<typeof connect>>

async function connect(url: string) {
  const client = createClient({ url })
  await client.connect()
  return client
}
