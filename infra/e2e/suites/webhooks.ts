// A desk's own endpoint is told what happened: orders, signed; and what it missed while it was away.

import { createHmac } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { webhookCreated, webhookDelivery } from '@ticker/shared/domain'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import type { Desk } from '../desk.ts'

const RESTS = 1_100

interface Received {
  headers: IncomingHttpHeaders
  body: string
}

export function webhookSuite(desk: () => Desk) {
  describe('webhooks', () => {
    const received: Received[] = []
    let isWell = true
    let server: Server
    let made: z.output<typeof webhookCreated>
    beforeAll(async () => {
      server = createServer((request, response) => {
        let body = ''
        request.on('data', (chunk) => {
          body += String(chunk)
        })
        request.on('end', () => {
          if (isWell) received.push({ headers: request.headers, body })
          response.writeHead(isWell ? 204 : 503).end()
        })
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const address = server.address()
      const port = typeof address === 'object' ? address?.port : undefined
      made = await desk().api.call(webhookCreated, 'POST', '/v1/webhooks', {
        url: `http://127.0.0.1:${port}/ticker`,
        events: ['orders', 'sessions', 'risk'],
      })
    })
    afterAll(async () => {
      await desk().api.request('DELETE', `/v1/webhooks/${made.id}`)
      server.closeAllConnections()
      server.close()
    })
    const event = z.object({
      type: z.string(),
      data: z.object({ intent_id: z.string().nullish(), synthetic: z.boolean() }),
    })
    const kindsOf = (intentId: string) =>
      received
        .map(({ body }) => event.parse(JSON.parse(body)))
        .filter(({ data }) => data.intent_id === intentId)
        .map(({ type }) => type)

    it('tell of an order from its queueing on, signed with the secret', async () => {
      const { id } = await desk().place({ price: RESTS })
      await until('it is told', async () =>
        ['intent.queued', 'intent.accepted'].every((kind) => kindsOf(id).includes(kind)),
      )
      for (const { headers, body } of received) {
        const key = Buffer.from(made.secret.replace('whsec_', ''), 'base64')
        const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
        expect(headers['webhook-signature']).toBe(
          `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
        )
        expect(event.parse(JSON.parse(body)).data.synthetic).toBe(true)
      }
      expect(
        (await desk().api.request('DELETE', `/v1/orders/${id}`, undefined, { 'Idempotency-Key': 'e2e-told' }))
          .status,
      ).toBeLessThan(300)
    })

    it('what an endpoint refused comes when it is well again, and can be asked for again', async () => {
      isWell = false
      // Of its own: what happens to orders meanwhile would fail too, and give the endpoint a rest.
      const quiet = await desk().api.call(webhookCreated, 'POST', '/v1/webhooks', {
        url: made.url,
        events: ['risk'],
      })
      const test = await desk().api.call(webhookDelivery, 'POST', `/v1/webhooks/${quiet.id}/test`)
      const deliveries = async (state: string) =>
        (
          await desk().api.call(
            z.object({ items: z.array(webhookDelivery) }),
            'GET',
            `/v1/webhooks/${quiet.id}/deliveries?state=${state}`,
          )
        ).items
      const isOurs = ({ id }: { id: string }) => id === test.id
      await until(
        'an attempt failed',
        async () => (await deliveries('pending')).find(isOurs)?.error === 'it answered 503',
      )
      isWell = true
      await until('it came all the same', async () => (await deliveries('delivered')).some(isOurs))
      const before = received.filter(({ headers }) => headers['webhook-id'] === test.id).length
      await desk().api.call(webhookDelivery, 'POST', `/v1/webhook-deliveries/${test.id}/redeliver`)
      await until(
        'it comes again',
        async () => received.filter(({ headers }) => headers['webhook-id'] === test.id).length > before,
      )
      expect(await desk().metric('ticker_webhook_attempts_total')).toBeGreaterThan(0)
      await desk().api.request('DELETE', `/v1/webhooks/${quiet.id}`)
    })
  })
}
