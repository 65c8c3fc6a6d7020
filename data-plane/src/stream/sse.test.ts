// /v1/stream/sse over a real loopback connection.
import { once } from 'node:events'
import { get } from 'node:http'
import { type EventClient, openEvents, requestEvents } from '@ticker/infra/local/sse-client'
import { describe, expect, it, vi } from 'vitest'
import { A, B, eventServerForEach } from '../testing/event-server.ts'
import { serverMessage, snapshot, ticks } from './messages.ts'

const eventually = { timeout: 10_000, interval: 10 }
const { server, again } = eventServerForEach()

const namesOf = (client: EventClient) => client.events.map(({ event }) => event)
const names = (client: EventClient, ...wanted: string[]) =>
  vi.waitFor(() => expect(namesOf(client)).toEqual(wanted), eventually)

describe('/v1/stream/sse', () => {
  it('streams the messages of the JSON WebSocket: welcome, subscribed, snapshot, every tick, gap, state', async () => {
    server().source.tick(A, 100)
    const client = await server().open(`instruments=${A},NSE:SYM${B},NSE:NOPE&mode=quote`)
    await names(client, 'welcome', 'subscribed', 'snapshot')
    expect(client.events.map(({ id, message }) => ({ id, message }))).toMatchObject([
      { id: undefined, message: { op: 'welcome', stream_id: '77', realm: 'sim' } },
      {
        id: undefined,
        message: {
          instruments: [
            { instrument_token: A, state: 'live' },
            { instrument_token: B, state: 'waiting' },
          ],
          unknown: ['NSE:NOPE'],
        },
      },
      { id: '77:1', message: { seq: 1, pending: 0, ticks: [{ instrument_token: A, mode: 'quote' }] } },
    ])
    for (let index = 0; index < 50; index += 1) server().source.tick(index % 2 ? A : B, index)
    await vi.waitFor(() => expect(client.seqs()).toHaveLength(50), eventually)
    expect(client.seqs()).toEqual(Array.from({ length: 50 }, (_, index) => index + 2))
    expect(client.lastId()).toBe('77:51')
    server().gap(new Map([[A, 'full']]))
    await vi.waitFor(() => expect(namesOf(client).at(-1)).toBe('gap'), eventually)
    server().source.setServing(B, 'stale')
    await vi.waitFor(() => expect(namesOf(client).at(-1)).toBe('state'), eventually)
    for (const { event, message } of client.events) {
      const schema = event === 'ticks' ? ticks : event === 'snapshot' ? snapshot : serverMessage
      expect(schema.parse(message)).toMatchObject({ op: event })
    }
    expect(await server().registry.metrics()).toContain('ticker_stream_clients{format="sse"} 1')
    client.close()
    await vi.waitFor(() => expect(server().stream.clients()).toBe(0), eventually)
  })

  it('is an event stream that nobody may keep, change or collect, and says when to come back', async () => {
    const response = await fetch(server().url(), { headers: await server().bearer() })
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'access-control-allow-origin': '*',
      connection: 'close',
    })
    const first = await response.body?.getReader().read()
    expect(Buffer.from(first?.value ?? []).toString()).toMatch(/^retry: \d{4}\n\n/)
  })

  it('goes on after Last-Event-ID without a snapshot, each tick once', async () => {
    const before = await server().open()
    await names(before, 'welcome', 'subscribed', 'snapshot')
    server().source.tick(A, 1)
    await vi.waitFor(() => expect(before.seqs()).toEqual([1]), eventually)
    before.close()
    await vi.waitFor(() => expect(server().stream.clients()).toBe(0), eventually)
    for (const token of [B, A, B]) server().source.tick(token, 2)
    const after = await server().open(undefined, { 'Last-Event-ID': before.lastId() })
    await vi.waitFor(() => expect(after.seqs()).toEqual([2, 3, 4]), eventually)
    server().source.tick(A, 5)
    await vi.waitFor(() => expect(after.seqs()).toEqual([2, 3, 4, 5]), eventually)
    expect(namesOf(after)).not.toContain('snapshot')
    expect(namesOf(after)).not.toContain('gap')
  })

  it('says what is lost of a stream that is another one now, and starts from a snapshot', async () => {
    server().source.tick(A, 1)
    const client = await server().open(undefined, { 'Last-Event-ID': '5:900' })
    await names(client, 'welcome', 'subscribed', 'gap', 'snapshot')
    expect(client.events[2]?.message).toMatchObject({ reason: 'stream_restarted' })
  })

  it('gives the latest at a rate', async () => {
    const client = await server().open(`instruments=${A}&delivery=latest&rate_hz=20&mode=ltp`)
    await names(client, 'welcome', 'subscribed', 'snapshot')
    server().source.tick(A, 1)
    server().source.tick(A, 2)
    await vi.waitFor(() => expect(client.seqs().at(-1)).toBe(2), eventually)
  })

  it('holds a bounded number of bytes for a client that does not read, and cuts it when none drain', async () => {
    await again({ conflateAboveBytes: 64 * 1024, pongTimeoutMs: 300 })
    const request = get(server().url(), { headers: await server().bearer(), agent: false })
    const [slow] = await once(request, 'response')
    slow.on('error', () => {})
    slow.pause()
    let heldBytes = 0
    const held = await server().registry.getSingleMetric('ticker_stream_buffered_bytes')
    await vi.waitFor(
      async () => {
        for (let price = 0; price < 1_000; price += 1) server().source.tick(A, price)
        heldBytes = Math.max(heldBytes, (await held?.get())?.values[0]?.value ?? 0)
        expect(await server().registry.metrics()).toContain('ticker_stream_closed_total{reason="no_pong"} 1')
      },
      { timeout: 20_000, interval: 5 },
    )
    expect(heldBytes).toBeGreaterThan(64 * 1024)
    expect(heldBytes).toBeLessThan(256 * 1024)
    // It reads again, and finds its connection cut.
    const ended = once(slow, 'close')
    slow.resume()
    await ended
    expect(server().stream.clients()).toBe(0)
  })

  it('ends with the ticket, and says so in the last event', async () => {
    const client = await openEvents(server().url(), await server().bearer({ ttlMs: 2_000 }))
    await client.ended
    expect(client.events.at(-1)).toMatchObject({
      event: 'close',
      message: { op: 'close', code: 4001, reason: 'ticket_expired' },
    })
    expect(server().stream.clients()).toBe(0)
  })

  it('ends when its key is revoked', async () => {
    const client = await server().open()
    server().answerRevoked(async () => true)
    const stop = new AbortController()
    const check = server().all.runRevocations(stop.signal)
    await client.ended
    stop.abort()
    await check
    expect(client.events.at(-1)?.message).toMatchObject({ code: 4003, reason: 'key_revoked' })
  })

  it('drains with a last event and takes no more', async () => {
    const client = await server().open()
    await server().stream.stop()
    await client.ended
    expect(client.events.at(-1)?.message).toEqual({ op: 'close', code: 1012, reason: 'restarting' })
    const refused = await requestEvents(server().url(), await server().bearer())
    expect(refused instanceof Response && refused.status).toBe(503)
  })
})
