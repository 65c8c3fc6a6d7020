// What /v1/stream/sse answers instead of streaming.
import { describe, expect, it, vi } from 'vitest'
import { eventServerForEach } from '../testing/event-server.ts'
import { streamTicket } from '../testing/tickets.ts'

const { server, again } = eventServerForEach()

describe('/v1/stream/sse', () => {
  it('answers 401 to a missing, forged, expired or revoked ticket, and to one in the URL', async () => {
    const ticket = await streamTicket('desk')
    const refused = [
      await server().refusal(undefined, {}),
      await server().refusal(undefined, { Authorization: `Basic ${ticket}` }),
      await server().refusal(`instruments=1&ticket=${ticket}`, {}),
      await server().refusal(undefined, await server().bearer({ forged: true })),
      await server().refusal(undefined, await server().bearer({ ttlMs: -5_000 })),
    ]
    server().answerRevoked(async () => true)
    refused.push(await server().refusal(undefined, await server().bearer()))
    for (const { status, body, headers } of refused) {
      expect([status, body.code]).toEqual([401, 'ticket_refused'])
      expect(headers.get('www-authenticate')).toBe('Bearer')
      expect(JSON.stringify(body)).not.toContain(ticket)
    }
    expect(await server().registry.metrics()).toContain(
      'ticker_stream_upgrades_refused_total{reason="key_revoked"} 1',
    )
  })

  it('answers 400 to what does not fit, and says where', async () => {
    const headers = await server().bearer()
    const { status, body } = await server().refusal('instruments=1&mode=depth&rate_hz=0', headers)
    expect([status, body.code]).toEqual([400, 'invalid_request'])
    expect(body.errors?.map(({ path }) => path)).toEqual(['mode', 'rate_hz'])
    const resumed = await server().refusal(undefined, { ...headers, 'Last-Event-ID': 'x' })
    expect(resumed.body.errors).toMatchObject([{ path: 'Last-Event-ID' }])
    expect(await server().registry.metrics()).toContain('refused_total{reason="invalid_request"} 2')
  })

  it('answers 404 to other paths, 405 to other methods, and lets pages of any origin ask', async () => {
    for (const path of ['/elsewhere', '/v1/stream/sse/', '/v1/stream'])
      expect((await fetch(`${server().root}${path}`)).status).toBe(404)
    const { status, body, headers } = await server().refusal(undefined, await server().bearer(), 'POST')
    expect([status, body.code, headers.get('allow')]).toEqual([405, 'method_not_allowed', 'GET, OPTIONS'])
    const preflight = await fetch(server().url(), { method: 'OPTIONS' })
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'Authorization, Cache-Control, Last-Event-ID',
    ])
  })

  it('answers 503 above its bounds of clients and instruments, and 429 to an address that fails too often', async () => {
    await server().open()
    await server().open()
    const full = await server().refusal(undefined, await server().bearer())
    expect([full.status, full.body.code, full.headers.get('retry-after')]).toEqual([
      503,
      'stream_unavailable',
      '5',
    ])
    await again({ interestsMax: 3, instrumentsPerClientMax: 2 })
    const client = await server().open()
    const crowded = await server().refusal(undefined, await server().bearer())
    expect([crowded.status, crowded.body.detail]).toEqual([503, expect.stringContaining('instruments')])
    const greedy = await server().refusal('instruments=1,2,3', await server().bearer())
    expect([greedy.status, greedy.body.errors?.[0]?.path]).toEqual([400, 'instruments'])
    client.close()
    for (let index = 0; index < 30; index += 1)
      expect((await server().refusal(undefined, {})).status).toBe(401)
    const limited = await server().refusal(undefined, await server().bearer())
    expect([limited.status, limited.body.code, limited.headers.get('retry-after')]).toEqual([
      429,
      'rate_limited',
      '60',
    ])
  })

  it('answers 429 to a key that has as many clients as it may, of whatever kind, and takes those of others', async () => {
    await again({ clientsMax: 5, clientsPerKeyMax: 2 })
    const first = await server().open()
    await server().openSocket()
    const refused = await server().refusal(undefined, await server().bearer())
    expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited'])
    expect(refused.body.detail).toContain('of this API key')
    expect(await server().registry.metrics()).toContain('refused_total{reason="key_full"} 1')
    const other = { Authorization: `Bearer ${await streamTicket('other')}` }
    expect(await server().open(undefined, other)).toBeDefined()
    first.close()
    await vi.waitFor(() => expect(server().stream.clients()).toBe(2))
    expect(await server().open()).toBeDefined()
  })

  it('takes nobody whose ticket was still looked at when it began to drain', async () => {
    const [asked, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<boolean>()]
    server().answerRevoked(() => {
      asked.resolve()
      return answer.promise
    })
    const refused = server().refusal(undefined, await server().bearer())
    await asked.promise
    await server().stream.stop()
    answer.resolve(false)
    expect((await refused).status).toBe(503)
    expect(server().stream.clients()).toBe(0)
  })
})
