// A sale that the depository has not been told of: parked with what a person has to do, never sent again, and placed anew by the
// caller once it is authorised on the broker's page.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { launchBrowser } from '../browser.ts'
import { type Desk, LIMIT_ORDER } from '../desk.ts'

const holdings = z.object({
  holdings: z.array(
    z.object({ tradingsymbol: z.string(), isin: z.string(), authorised_quantity: z.number() }),
  ),
})
const authorisation = z.object({ request_id: z.string(), url: z.string(), synthetic: z.literal(true) })
const parked = z.object({ state: z.string(), reason_code: z.string(), reason: z.string() })
/** The only holding of the demo account that nobody has signed for; it trades about 410. */
const SALE = { ...LIMIT_ORDER, tradingsymbol: 'ITC', transaction_type: 'SELL', price: 480 }

export function holdingsAuthorisationSuite(desk: () => Desk) {
  describe('authorising the sale of holdings', () => {
    it('428 parks the order; authorised by a person, it is placed anew, and the first is never sent again', async () => {
      const before = await desk().ordersAtBroker()
      const first = await desk().place({ ...SALE, quantity: 4 }, 'itc-unauthorised')
      expect(first).toMatchObject({ state: 'NEEDS_AUTHORISATION', broker_orders: [] })
      const { reason } = await desk().api.call(parked, 'GET', `/v1/orders/${first.id}`)
      expect(reason).toMatch(/not authorised .*https:\/\/kite\.zerodha\.com\/holdings .*17:30 IST/)
      const sent = async () =>
        (await desk().orderEvents(first.id)).filter((kind) => kind === 'intent.sending')
      expect(await sent()).toHaveLength(1)

      const itc = async () => {
        const held = await desk().api.call(holdings, 'GET', '/v1/holdings?account_id=demo')
        return held.holdings.find(({ tradingsymbol }) => tradingsymbol === 'ITC')
      }
      const isin = (await itc())?.isin
      const asked = await desk().api.call(authorisation, 'POST', '/v1/holdings/authorise', {
        account_id: 'demo',
        holdings: [{ isin, quantity: 4 }],
      })
      expect(asked.url).toContain(`/connect/portfolio/authorise/holdings/`)
      expect(await (await fetch(asked.url)).text()).toContain('ITC: 4')
      expect((await itc())?.authorised_quantity).toBe(0)
      const otp = new URLSearchParams({ otp: '123456' })
      expect(await (await fetch(asked.url, { method: 'POST', body: otp })).text()).toContain('success')
      expect((await itc())?.authorised_quantity).toBe(4)

      const second = await desk().place({ ...SALE, quantity: 4 }, 'itc-authorised')
      await until('it is open', async () => (await desk().brokerStatus(second.id)) === 'OPEN')
      // A repeat of the first is its answer, and the authorisation sends nothing by itself.
      expect((await desk().place({ ...SALE, quantity: 4 }, 'itc-unauthorised')).state).toBe(first.state)
      expect(await sent()).toHaveLength(1)
      expect(await desk().ordersAtBroker()).toBe(before + 1)
    })

    it('the console shows what is to be done, and has the link', async () => {
      const browser = await launchBrowser()
      try {
        const page = await browser.newPage()
        await page.goto(`${desk().system.controlPlaneUrl}/`)
        await page.fill('input[name=key]', desk().apiKey)
        await page.click('button[type=submit]')
        await page.goto(`${desk().system.controlPlaneUrl}/#orders`)
        const order = page.locator('tr', { hasText: 'needs your authorisation at the broker' }).first()
        await order.getByText('17:30 IST').waitFor()
        await order.getByRole('button', { name: 'Authorise' }).click()
        const link = order.getByRole('link', { name: 'Authorise at the broker' })
        expect(await link.getAttribute('href')).toContain('/connect/portfolio/authorise/holdings/')
      } finally {
        await browser.close()
      }
    })

    it('Kite clients are answered 428 with the same words, and ask for the page themselves', async () => {
      const { apiKey, accessToken } = await desk().kiteCredentials()
      const kite = async (path: string, body: Record<string, string>) => {
        const headers = { authorization: `token ${apiKey}:${accessToken}`, 'x-kite-version': '3' }
        const url = `${desk().system.controlPlaneUrl}${path}`
        const response = await fetch(url, { method: 'POST', headers, body: new URLSearchParams(body) })
        return { status: response.status, body: await response.json() }
      }
      const { account_id: _, ...sale } = SALE
      const refused = await kite('/orders/regular', { ...sale, quantity: '1', price: '480' })
      expect([refused.status, refused.body]).toEqual([
        428,
        {
          ...{ status: 'error', error_type: 'HoldingException', data: null },
          message: expect.stringContaining('17:30 IST'),
        },
      ])
      const asked = await kite('/portfolio/holdings/authorise', { type: 'equity' })
      const answer = z.object({ data: z.object({ request_id: z.string(), redirect_url: z.string() }) })
      const { request_id, redirect_url } = answer.parse(asked.body).data
      expect(redirect_url).toMatch(new RegExp(`/${request_id}$`))
      expect((await fetch(redirect_url)).status).toBe(200)
      // What rests is taken back: the next suites begin without it.
      const open = z.object({ items: z.array(z.object({ id: z.string(), state: z.string() })) })
      const { items } = await desk().api.call(open, 'GET', '/v1/orders?account_id=demo&limit=5')
      const resting = items.find(({ state }) => state === 'ACCEPTED')
      await desk().api.request('DELETE', `/v1/orders/${resting?.id}`, undefined, {
        'Idempotency-Key': 'itc-taken-back',
      })
      await until('it is gone', async () => (await desk().brokerStatus(resting?.id ?? '')) === 'CANCELLED')
    })
  })
}
