// 500 instruments, seen everywhere ticks go; a recording counted row by row; a socket that drops.
import { quotes, streamClients } from '@ticker/shared/domain'
import { decodeFrame, readPublishedFrame } from '@ticker/shared/kite-wire'
import { createClient } from 'redis'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { runKiteTicker } from '../../conformance/kite-ticker-process.ts'
import { runReplay } from '../../local/replay.ts'
import { until } from '../../local/seed.ts'
import { streamEvents } from '../../local/sse-client.ts'
import { openStream, type StreamMessage } from '../../local/stream-client.ts'
import type { Desk } from '../desk.ts'
import type { Recording } from '../recording.ts'

const WANTED = 500
const FORMS = ['', '/', '/kite/ws', '/kite/ws/'] as const
const MODES = ['full', 'quote', 'ltp', 'full'] as const
/** Promised: 30 s after the last client. */
const RELEASED_MS = 60_000
/** This many ticks in a row show that a client keeps its mode. */
const STEADY_TICKS = 50

export function tickSuite(desk: () => Desk, recording: () => Recording) {
  describe('ticks', () => {
    let tokens: number[]
    beforeAll(async () => {
      const page = z.object({ items: z.array(z.object({ instrument_token: z.number() })) })
      const { items } = await desk().api.call(page, 'GET', `/v1/instruments?exchange=NFO&limit=${WANTED}`)
      tokens = items.map((item) => item.instrument_token)
      expect(new Set(tokens).size).toBe(WANTED)
      await desk().subscribe(tokens)
    })
    const allTick = (seen: Iterable<number>) => new Set(seen).size === WANTED

    it('500 instruments tick on /v1/stream in order, none twice', async () => {
      const client = await openStream(desk().api)
      client.send({ op: 'subscribe', instruments: tokens, mode: 'full', delivery: 'every' })
      await until('all 500 tick', async () => allTick(client.ticks.map((tick) => tick.instrument_token)))
      expectIncreasing(client.ticks.map((tick) => tick.seq))
      const { clients } = await desk().api.call(streamClients, 'GET', '/v1/stream-clients')
      expect(
        clients.filter(({ protocol, instruments }) => protocol === 'json' && instruments === WANTED),
      ).toHaveLength(1)
      client.close()
    })

    it('500 quotes have the last ticks of all of them, and their ages', async () => {
      const path = `/v1/quotes?instruments=${tokens.join(',')},NSE:NOPE`
      await until('all have ticked', async () => {
        const { quotes: all } = await desk().api.call(quotes, 'GET', path)
        return all.length === WANTED && all.every(({ state }) => state === 'live')
      })
      const { unknown, ...answer } = await desk().api.call(quotes, 'GET', path)
      expect([unknown, answer.synthetic]).toEqual([['NSE:NOPE'], true])
      for (const { tick, age_ms } of answer.quotes) {
        expect(tick?.last_price).toBeGreaterThan(0)
        expect(age_ms).toBeLessThan(60_000)
      }
    })

    it('a quote of what nobody streams is the broker’s own, when that is asked for', async () => {
      const path = '/v1/quotes?instruments=NSE:HDFCBANK'
      const without = await desk().api.call(quotes, 'GET', path)
      expect(without.quotes[0]).toMatchObject({ state: 'not_streamed', source: null, tick: null })
      const { quotes: all, fallback } = await desk().api.call(quotes, 'GET', `${path}&fallback=broker`)
      expect(all[0]).toMatchObject({ state: 'not_streamed', source: 'broker', tick: { mode: 'full' } })
      expect(all[0]?.tick?.last_price).toBeGreaterThan(0)
      expect(fallback).toMatchObject({ refusal: null })
      expect(fallback?.answered).toBe(fallback?.asked)
    })

    it('an instrument nobody subscribed ticks for the client that asks for it, and is given up 30 s after it left', async () => {
      const page = z.object({ items: z.array(z.object({ instrument_token: z.number() })) })
      const { items } = await desk().api.call(page, 'GET', '/v1/instruments?exchange=NSE&limit=50')
      const { items: rows } = await desk().api.call(page, 'GET', '/v1/subscriptions?limit=1000')
      const put = new Set(rows.map((row) => row.instrument_token))
      const token = items.map((item) => item.instrument_token).find((each) => !put.has(each)) ?? 0
      const held = () => desk().metric('ticker_interest_instruments')
      const client = await openStream(desk().api)
      const states = () => client.messages.filter(({ op }) => op === 'subscribed' || op === 'state')
      try {
        client.send({ op: 'subscribe', instruments: [token], mode: 'quote' })
        await until('it ticks', async () => client.ticks.some((tick) => tick.instrument_token === token))
        await until('it is live', async () => states().length === 2)
        expect(states()).toMatchObject([
          { op: 'subscribed', instruments: [{ instrument_token: token, state: 'waiting' }] },
          { op: 'state', state: 'live', instrument_tokens: [token] },
        ])
      } finally {
        client.close()
      }
      await until('it is given up', async () => (await held()) === 0, RELEASED_MS)
    })

    it('a client that subscribes gets the snapshot of all first, then each tick another client gets', async () => {
      const reference = await openStream(desk().api)
      reference.send({ op: 'subscribe', instruments: tokens, delivery: 'every' })
      await until('the other client receives', async () => reference.ticks.length > 0)
      const order: StreamMessage[] = []
      const client = await openStream(desk().api, (message) => order.push(message))
      client.send({ op: 'subscribe', instruments: tokens, delivery: 'every' })
      await until('all 500 tick', async () => allTick(client.ticks.map((tick) => tick.instrument_token)))

      const firstTicks = order.findIndex((message) => message.op === 'ticks')
      const snapshots = order.filter((message) => message.op === 'snapshot')
      expect(snapshots.every((snapshot) => order.indexOf(snapshot) < firstTicks)).toBe(true)
      const shown = snapshots.flatMap((snapshot) => snapshot.ticks ?? [])
      expect(allTick(shown.map((tick) => tick.instrument_token))).toBe(true)
      const seqs = client.ticks.map((tick) => tick.seq)
      expectIncreasing(seqs)
      expect(Math.max(...shown.map((tick) => tick.seq))).toBeLessThan(seqs[0] ?? 0)

      const [from = 0, to = 0] = [seqs[0], seqs.at(-1)]
      await until('the other client has come as far', async () => (reference.ticks.at(-1)?.seq ?? 0) >= to)
      const same = reference.ticks.map((tick) => tick.seq).filter((seq) => seq >= from && seq <= to)
      expect(seqs).toEqual(same)
      client.close()
      reference.close()
    })

    it('server-sent events miss no tick of another client, over a reconnection with Last-Event-ID', async () => {
      const reference = await openStream(desk().api)
      reference.send({ op: 'subscribe', instruments: tokens, delivery: 'every' })
      await until('the other client receives', async () => reference.ticks.length > 0)
      const before = await streamEvents(desk().api, tokens)
      await until('events with ticks', async () => before.seqs().length > WANTED)
      before.close()
      await before.ended
      // Of what was under way when it was closed nothing counts but what came.
      const last = before.seqs().at(-1) ?? 0
      await until('ticks are missed', async () => (reference.ticks.at(-1)?.seq ?? 0) > last + WANTED)
      const after = await streamEvents(desk().api, tokens, before.lastId())
      await until('the rest and more', async () => after.seqs().length > 2 * WANTED)
      after.close()
      await after.ended

      const seqs = [...before.seqs(), ...after.seqs()]
      const [from = 0, to = 0] = [seqs[0], seqs.at(-1)]
      await until('the other client has come as far', async () => (reference.ticks.at(-1)?.seq ?? 0) >= to)
      const same = reference.ticks.map((tick) => tick.seq).filter((seq) => seq >= from && seq <= to)
      expect(seqs).toEqual(same)
      expect(after.events.map(({ event }) => event)).not.toContain('snapshot')
      reference.close()
    })

    it('all 500 are published in Redis as binary frames that are marked synthetic', async () => {
      const redis = createClient({ url: desk().system.redisUrl })
      await redis.connect()
      const seen = new Set<number>()
      const refused: string[] = []
      let unmarked = 0
      await redis.pSubscribe(
        'sim:ticks:raw:*',
        (message) => {
          const frame = readPublishedFrame(new Uint8Array(message))
          if (!frame.ok) return refused.push(frame.reason)
          if (!frame.header.synthetic) unmarked += 1
          for (const tick of decodeFrame(frame.container)) seen.add(tick.instrument_token)
        },
        true,
      )
      try {
        await until('all 500 are published', async () => tokens.every((token) => seen.has(token)))
      } finally {
        redis.destroy()
      }
      expect({ refused, unmarked }).toEqual({ refused: [], unmarked: 0 })
    })

    it('reach the official KiteTicker unmodified, at every form of the root, each in its own mode', async () => {
      const credentials = await desk().kiteCredentials()
      const tickers = FORMS.map((form, index) =>
        runKiteTicker({ ...credentials, root: credentials.root + form }, MODES[index] ?? 'full', tokens),
      )
      try {
        for (const [index, ticker] of tickers.entries()) {
          const ticks = () => ticker.events.filter((event) => event.kind === 'tick')
          await until(`all 500 at root "${FORMS[index]}"`, async () =>
            allTick(ticks().map((tick) => tick.instrument_token ?? 0)),
          )
          // Past the cached ticks that answer a subscription: live ones, in the mode that was asked for.
          await until(`live ticks in ${MODES[index]} at root "${FORMS[index]}"`, async () => {
            const live = ticks().slice(2 * WANTED)
            return live.length > STEADY_TICKS && live.every((tick) => tick.mode === MODES[index])
          })
          expect(ticker.events.filter((event) => event.kind === 'error')).toEqual([])
        }
      } finally {
        for (const ticker of tickers) ticker.stop()
      }
    })

    it('a recording arrives whole: every row, none twice, in order', async () => {
      const { path, rows } = recording()
      const { system, api } = desk()
      const count = await runReplay({ system, api, file: path, speed: 400, report: () => {} })
      expect(count).toEqual({ rows, received: rows, duplicates: 0, outOfOrder: 0, different: 0 })
    })

    it('row 1: come back after the broker drops the socket, and the client is told of the gap', async () => {
      const client = await openStream(desk().api)
      client.send({ op: 'subscribe', instruments: tokens, delivery: 'every' })
      await until('ticks before', async () => client.ticks.length > 0)
      await desk().fault('drop_socket')
      await until('a gap marker', async () => client.messages.some((message) => message.op === 'gap'))
      const before = client.ticks.length
      await until('all 500 tick again', async () =>
        allTick(client.ticks.slice(before).map((tick) => tick.instrument_token)),
      )
      expectIncreasing(client.ticks.map((tick) => tick.seq))
      client.close()
    })
  })
}

function expectIncreasing(seqs: readonly number[]): void {
  expect(seqs.findIndex((seq, index) => index > 0 && seq <= (seqs[index - 1] ?? 0))).toBe(-1)
}
