// Candles of instruments that nobody had subscribed, beside the ticks they are made of; with a lost socket.

import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { openEvents } from '../../local/sse-client.ts'
import { openStream, type StreamMessage } from '../../local/stream-client.ts'
import type { Desk } from '../desk.ts'

const SECONDS_WANTED = 4

const candle = z.looseObject({
  instrument_token: z.number(),
  state: z.enum(['forming', 'closed', 'revised', 'backfilled']),
  time: z.string(),
  open: z.number(),
  high: z.number(),
  low: z.number(),
  close: z.number(),
  volume: z.number(),
  gap: z.boolean(),
  time_basis: z.enum(['exchange', 'received']),
})
const traded = z.looseObject({
  instrument_token: z.number(),
  last_price: z.number(),
  volume_traded: z.number(),
  last_trade_time_s: z.number().nullable().optional(),
})
type Candle = z.infer<typeof candle>

const candlesOf = (messages: readonly StreamMessage[], interval: string): Candle[] =>
  messages
    .filter((message) => message.op === 'candles' && message.interval === interval)
    .flatMap((message) => z.array(candle).parse(message.candles))

export function candleSuite(desk: () => Desk) {
  describe('candles', () => {
    let refs: string[]
    beforeAll(async () => {
      const page = z.object({ items: z.array(z.object({ tradingsymbol: z.string() })) })
      const { items } = await desk().api.call(page, 'GET', '/v1/instruments?exchange=NSE&type=EQ&limit=40')
      refs = items.slice(-5).map(({ tradingsymbol }) => `NSE:${tradingsymbol}`)
    })

    it('of a second are what the ticks of that second were, by the time of the trade', async () => {
      const client = await openStream(desk().api)
      client.send({ op: 'subscribe', instruments: refs, mode: 'full' })
      for (const interval of ['1s', '1m'])
        client.send({ op: 'subscribe_candles', instruments: refs, interval })
      const closed = () => candlesOf(client.messages, '1s').filter(({ state }) => state === 'closed')
      await until('seconds are closed', async () => closed().length >= SECONDS_WANTED * refs.length)
      client.close()

      const ticks = z.array(traded).parse(client.ticks)
      const revised = new Set(
        candlesOf(client.messages, '1s')
          .filter(({ state }) => state === 'revised')
          .map((each) => `${each.instrument_token} ${each.time}`),
      )
      let compared = 0
      for (const made of closed()) {
        const own = ticks.filter(
          (tick) => tick.instrument_token === made.instrument_token && tick.last_trade_time_s,
        )
        const second = Date.parse(made.time) / 1_000
        const at = own.findIndex((tick) => tick.last_trade_time_s === second)
        // The first second began before the first tick, in the broker's own mode; what came late is another candle since.
        const before = own[at - 1]
        if (!before || made.time_basis === 'received' || revised.has(`${made.instrument_token} ${made.time}`))
          continue
        const of = own.filter((tick) => tick.last_trade_time_s === second)
        const prices = of.map((tick) => tick.last_price)
        expect(made).toMatchObject({
          ...{ open: prices[0], close: prices.at(-1), time_basis: 'exchange' },
          ...{ high: Math.max(...prices), low: Math.min(...prices) },
          volume: Math.max(...of.map((tick) => tick.volume_traded)) - before.volume_traded,
        })
        compared += 1
      }
      expect(compared).toBeGreaterThanOrEqual(refs.length)
      // The minute it came in had begun.
      const [minute] = candlesOf(client.messages, '1m')
      expect(minute).toMatchObject({ state: 'forming', gap: true })
    })

    it('come as server-sent events too', async () => {
      const ticket = z.object({ ticket: z.string(), stream_url: z.string() })
      const { ticket: bearer, stream_url } = await desk().api.call(ticket, 'POST', '/v1/stream-tickets')
      const url = `${stream_url.replace('ws', 'http')}/sse?interval=5s&instruments=${encodeURIComponent(refs.join())}`
      const client = await openEvents(url, { Authorization: `Bearer ${bearer}` })
      const of = (op: string) => client.events.filter(({ event }) => event === op)
      await until('the day, and then candles', async () => of('candles').length > 2)
      expect(of('candle_snapshot').length).toBe(refs.length)
      client.close()
    })

    it('have a gap when the broker’s socket was down', async () => {
      const client = await openStream(desk().api)
      client.send({ op: 'subscribe_candles', instruments: refs, interval: '1s' })
      await until('candles come', async () => candlesOf(client.messages, '1s').some(({ gap }) => !gap))
      await desk().fault('drop_socket')
      const before = client.messages.length
      const later = () => candlesOf(client.messages.slice(before), '1s')
      await until('a gap is marked', async () => later().some(({ gap }) => gap))
      await until('and ends', async () => {
        const all = later()
        const tokens = new Set(all.map(({ instrument_token }) => instrument_token))
        return [...tokens].every((token) => {
          const own = all.filter(({ instrument_token }) => instrument_token === token)
          const afterGap = own.slice(own.findLastIndex(({ gap }) => gap) + 1)
          return afterGap.some(({ state }) => state === 'closed')
        })
      })
      client.close()
    })
  })
}
