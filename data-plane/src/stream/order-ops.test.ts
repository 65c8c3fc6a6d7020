// Orders over the transports of /v1/stream: who may, what is answered, and ids by which server-sent events resume.
import { describe, expect, it, vi } from 'vitest'
import { eventServerForEach } from '../testing/event-server.ts'
import { streamHarness } from '../testing/stream-harness.ts'

const eventually = { timeout: 10_000, interval: 10 }

describe('orders on a WebSocket', () => {
  const open = (orderAccounts: null | 'none' = null) => {
    const harness = streamHarness([257])
    const { clock, orders, join } = harness
    orders.account('desk1')
    const stop = new AbortController()
    void orders.stream.run(stop.signal, () => {})
    return { ...harness, ...join('desk', 3_600_000, 'json', 100, orderAccounts), clock, orders, stop }
  }

  it('are one subscription, answered, and given up with the connection', async () => {
    const { clock, orders, say, socket, hub, client, ops, stop } = open()
    say({ op: 'unsubscribe_orders', id: 1 })
    say({ op: 'subscribe_orders', id: 2 })
    say({ op: 'subscribe_orders', id: 3 })
    await clock.advance(100)
    orders.happen('desk1')
    orders.stream.wake()
    await clock.advance(100)
    expect(socket.messages().slice(1)).toMatchObject([
      { op: 'error', id: 1, code: 'orders_not_held' },
      { op: 'error', id: 3, code: 'orders_held' },
      { op: 'orders_subscribed', id: 2, accounts: { desk1: 0 }, unknown: [] },
      { op: 'order_event', account_id: 'desk1', seq: 1, kind: 'intent.queued' },
    ])
    say({ op: 'unsubscribe_orders', id: 4 })
    orders.happen('desk1')
    await clock.advance(1_000)
    expect(ops().at(-1)).toBe('orders_unsubscribed')
    say({ op: 'subscribe_orders', after: { desk1: 0 } })
    await clock.advance(100)
    expect(ops().slice(-2)).toEqual(['order_event', 'order_event'])
    hub.leave(client)
    const { heads } = orders.asked
    await clock.advance(5_000)
    expect(orders.asked.heads).toBe(heads)
    stop.abort()
  })

  it('are refused to a ticket without orders:read, and what is no cursor to any', async () => {
    const { say, socket } = open('none')
    say({ op: 'subscribe_orders', id: 1 })
    say({ op: 'subscribe_orders', after: { desk1: -1 } })
    say({ op: 'subscribe_orders', accounts: [] })
    expect(socket.messages().slice(1)).toMatchObject([
      { op: 'error', id: 1, code: 'orders_not_allowed' },
      { op: 'error', code: 'invalid_request' },
      { op: 'error', code: 'invalid_request' },
    ])
  })

  it('close a client that does not read them with 1013, and name why', async () => {
    const { clock, orders, say, socket, hub, stop } = open()
    say({ op: 'subscribe_orders' })
    await clock.advance(100)
    socket.reading = false
    socket.send('x'.repeat(300 * 1024))
    orders.happen('desk1')
    await clock.advance(40_000)
    expect(socket.closed).toEqual({ code: 1013, reason: 'orders_behind' })
    expect(hub.clients.size).toBe(0)
    stop.abort()
  })
})

describe('/v1/stream/orders', () => {
  const { server } = eventServerForEach()
  const path = (query = '') => `${server().root}/v1/stream/orders${query}`

  it('sends each event once, and goes on after any id', async () => {
    const { orders } = server()
    orders.account('desk1')
    orders.account('desk2')
    const client = await server().openAt(path())
    await vi.waitFor(() => expect(client.lastId()).toBe('desk1:0,desk2:0'), eventually)
    orders.happen('desk1', 2)
    orders.happen('desk2')
    orders.stream.wake()
    await vi.waitFor(() => expect(client.lastId()).toBe('desk1:2,desk2:1'), eventually)
    const [, ...events] = client.events
    expect(events.map(({ id, event }) => [id, event])).toEqual([
      ['desk1:0,desk2:0', 'orders_subscribed'],
      ['desk1:1,desk2:0', 'order_event'],
      ['desk1:2,desk2:0', 'order_event'],
      ['desk1:2,desk2:1', 'order_event'],
    ])
    client.close()
    for (const [query, headers] of [
      ['', { 'Last-Event-ID': 'desk1:1,desk2:0' }],
      ['?after=desk1:1,desk2:0', {}],
      ['?after=desk1:0', { 'Last-Event-ID': 'desk1:1,desk2:0' }],
    ] as const) {
      const again = await server().openAt(path(query), headers)
      await vi.waitFor(() => expect(again.lastId()).toBe('desk1:2,desk2:1'), eventually)
      expect(again.events.map(({ id }) => id).slice(1)).toEqual([
        'desk1:1,desk2:0',
        'desk1:2,desk2:0',
        'desk1:2,desk2:1',
      ])
      again.close()
      await vi.waitFor(() => expect(server().stream.clients()).toBe(0), eventually)
    }
  })

  it('beats without an id: the cursor stays that of orders', async () => {
    const { clock, all, orders, join, hub } = streamHarness([257])
    orders.account('desk1')
    const stop = new AbortController()
    const loops = [orders.stream.run(stop.signal, () => {}), all.runHousekeeping(stop.signal)]
    const { socket, client } = join('desk', 3_600_000, 'sse_orders')
    hub.apply(client, { op: 'subscribe_orders' })
    await clock.advance(6_000)
    expect(socket.sent.map((event) => String(event).split('data:')[0])).toEqual([
      'event: welcome\n',
      'id: desk1:0\nevent: orders_subscribed\n',
      'event: heartbeat\n',
    ])
    stop.abort()
    await Promise.all(loops)
  })

  it('refuses what is no cursor, no account, or not allowed', async () => {
    const headers = await server().bearer()
    const at = async (query: string, more = {}) => {
      const { status, body } = await server().refusal(undefined, { ...headers, ...more }, 'GET', path(query))
      return [status, body.code, body.errors?.[0]?.path]
    }
    expect(await at('', { 'Last-Event-ID': 'DESK:128' })).toEqual([400, 'invalid_request', 'Last-Event-ID'])
    expect(await at('?after=desk1')).toEqual([400, 'invalid_request', 'after'])
    expect(await at('?accounts=DESK')).toEqual([400, 'invalid_request', 'accounts.0'])
    expect(await at('?mode=full')).toEqual([400, 'invalid_request', ''])
    expect(await at('', await server().bearer({ ordersRead: false }))).toEqual([
      403,
      'scope_missing',
      undefined,
    ])
    expect(await at('', { Authorization: 'Bearer nonsense' })).toEqual([401, 'ticket_refused', undefined])
  })
})
