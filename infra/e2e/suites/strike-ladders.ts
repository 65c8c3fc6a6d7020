// A ladder on NIFTY from the API to a client's ticks: it follows the spot, retires what it left, and survives what
// takes it away. Its expiry roll needs another day and is proven beside its code, on a clock that can have one.
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { openStream, type StreamClient } from '../../local/stream-client.ts'
import type { Desk } from '../desk.ts'

const NIFTY_50 = 256_265
const STEP = 50
/** Promised: a move within some 6 s (looked at every second, moved at most every 5 s). */
const FOLLOWED_MS = 30_000
/** Promised: 60 s after they left. */
const RETIRED_MS = 100_000

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
    let client: StreamClient
    let chain: z.infer<typeof option>[]
    const get = () => desk().api.call(detail, 'GET', '/v1/strike-ladders/NIFTY')
    const setSpot = (price: number) => desk().simulator('POST', '/sim/prices', { token: NIFTY_50, price })
    const strikeOf = (token: number) => chain.find((each) => each.instrument_token === token)?.strike
    /** Strikes whose options the client was last told to be in this state. */
    const strikesIn = (state: string) => {
      const states = new Map<number, string>()
      for (const message of client.messages) {
        if (message.op !== 'state' || typeof message.state !== 'string') continue
        for (const token of z.array(z.number()).parse(message.instrument_tokens))
          states.set(token, message.state)
      }
      return new Set([...states].filter(([, now]) => now === state).map(([token]) => strikeOf(token)))
    }
    const ticking = (from: number) =>
      new Set(client.ticks.slice(from).map((tick) => strikeOf(tick.instrument_token)))

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
      client = await openStream(desk().api)
      client.send({ op: 'subscribe', instruments: chain.map((each) => each.instrument_token), mode: 'quote' })
    })
    afterAll(() => client.close())

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
      const redis = createClient({ url: desk().system.redisUrl })
      await redis.connect()
      const { atm } = (await get()).state
      const before = client.ticks.length
      const target = (atm ?? 0) + 4 * STEP
      await setSpot(target + 5)
      await until('the money has moved', async () => (await get()).state.atm === target, FOLLOWED_MS)
      await until('new strikes tick', async () => ticking(before).has(target + 2 * STEP), FOLLOWED_MS)
      // What left the band is kept for a minute: still subscribed, still ticking.
      expect(strikesIn('not_subscribed')).not.toContain(atm)
      await until(
        'old strikes are retired',
        async () => strikesIn('not_subscribed').has(atm ?? 0),
        RETIRED_MS,
      )
      expect((await get()).instruments.map((each) => each.strike)).not.toContain(atm)
      const announced = async (type: string, strike: number) =>
        ((await redis.xRange('sim:events', '-', '+')) ?? []).some((entry) => {
          const event = entry?.message.event ?? ''
          return event.includes(`"${type}"`) && event.includes(`${strike}PE`)
        })
      await until('both are announced', async () => {
        const added = await announced('subscriptions_added', target + 2 * STEP)
        return added && (await announced('subscriptions_removed', atm ?? 0))
      })
      redis.destroy()
    })

    it('a strike that is also subscribed by name stays when the ladder goes', async () => {
      const { atm } = (await get()).state
      const named = chain.find((each) => each.strike === atm)
      await desk().subscribe([named?.instrument_token ?? 0], { mode: 'ltp', source: 'by-name' })
      expect((await desk().api.request('DELETE', '/v1/strike-ladders/NIFTY')).status).toBe(204)
      await until('the others are given up', async () => strikesIn('not_subscribed').has((atm ?? 0) + STEP))
      expect(strikesIn('not_subscribed')).not.toContain(atm)
      const before = client.ticks.length
      await until('it ticks on', async () => ticking(before).has(atm ?? 0))
      await desk().api.call(z.unknown(), 'DELETE', '/v1/subscriptions', {
        instruments: [named?.instrument_token],
        source: 'by-name',
      })
    })
  })
}
