// An option chain from a ladder's ticks, asked for and streamed: the volatility that the simulator prices with comes back.
import { optionChain } from '@ticker/shared/domain'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { openStream } from '../../local/stream-client.ts'
import { type Desk, refusalOf } from '../desk.ts'

/** Of the simulator's indices, with its smile. */
const [VOLATILITY, SMILE_MAX] = [0.13, 0.02]
const STRIKES = 2

export function optionChainSuite(desk: () => Desk) {
  describe('option chains', () => {
    /** The second: on its last day the nearest expires at 15:40. */
    let expiry: string
    const path = (query: string) => `/v1/option-chains/NIFTY?${query}`
    const chain = (query: string) => desk().api.call(optionChain, 'GET', path(query))

    beforeAll(async () => {
      // A recording may hold the index still.
      await desk().simulator('DELETE', '/sim/replay')
      const page = z.object({ items: z.array(z.object({ expiry: z.string() })) })
      const listed = '/v1/instruments?exchange=NFO&name=NIFTY&type=PE&limit=1000'
      const { items } = await desk().api.call(page, 'GET', listed)
      expiry = [...new Set(items.map((each) => each.expiry))].sort()[1] ?? ''
      await desk().api.call(z.unknown(), 'PUT', '/v1/strike-ladders/chain', {
        ...{ underlying: 'NIFTY', strikes: STRIKES, expiries: 2, futures: true },
      })
    })
    afterAll(() => desk().api.request('DELETE', '/v1/strike-ladders/chain'))

    it('of what a ladder streams come with the volatility that the market prices with', async () => {
      await until('the ladder’s options have volatilities', async () => {
        const response = await desk().api.request('GET', path(`expiry=${expiry}`))
        return response.ok && optionChain.parse(await response.json()).legs.with_iv >= 2 * (2 * STRIKES + 1)
      })
      const { strikes, ...seen } = await chain(`expiry=${expiry}`)
      expect(seen).toMatchObject({ expiry, model: 'bsm', unavailable: null, synthetic: true })
      expect(Math.abs((seen.atm_iv ?? 0) - VOLATILITY)).toBeLessThan(SMILE_MAX)
      for (const { call, put } of strikes)
        expect([call?.delta, put?.delta]).toEqual([expect.closeTo(0.5, 0), expect.closeTo(-0.5, 0)])
      expect(await chain(`expiry=${expiry}&model=black76`)).toMatchObject({ model: 'black76' })
    })

    it('expire when a stored day of the calendar says, in the running data plane', async () => {
      const closes = { phase: 'open', from: '09:15', to: '13:00' }
      const days = [
        { date: expiry, exchanges: ['NFO'], name: 'Half a day', phases: [closes], source: 'a test' },
      ]
      await desk().api.call(z.unknown(), 'PUT', '/v1/calendar/days', { days })
      const expiresAt = async () => (await chain(`expiry=${expiry}`)).expires_at
      await until(
        'the chain expires at 13:00',
        async () => (await expiresAt())?.endsWith('T07:30:00.000Z') === true,
      )
      await desk().api.request('DELETE', `/v1/calendar/days/${expiry}`)
      await until('and as before', async () => (await expiresAt())?.endsWith('T10:10:00.000Z') === true)
    })

    it('are streamed under their id, and end with it', async () => {
      const client = await openStream(desk().api)
      const of = (op: string) => client.messages.filter((message) => message.op === op)
      client.send({ op: 'subscribe_chain', underlying: 'NIFTY', expiry, strikes: 0 })
      await until('three came', async () => of('chain').length >= 3)
      expect(optionChain.parse(of('chain')[0]?.chain).strikes.length).toBe(1)
      client.send({ op: 'unsubscribe_chain', chain_id: of('chain_subscribed')[0]?.chain_id })
      await until('it ended', async () => of('chain_unsubscribed').length === 1)
      client.close()
    })

    it('that nobody streams, or that are not listed, are refused by name', async () => {
      const refused = async (of: string) =>
        refusalOf(await desk().api.request('GET', `/v1/option-chains/${of}`))
      expect(await refused('NOSUCH')).toEqual([404, 'option_chain_not_found'])
      expect(await refused('NIFTY?expiry=2020-01-01')).toEqual([404, 'option_chain_not_found'])
      expect(await refused('FINNIFTY')).toEqual([409, 'option_chain_not_streamed'])
    })
  })
}
