// Holdings whose sale needs an authorisation: the request by API, the broker's page on which a person grants it, and auctions.
import { type Context, Hono } from 'hono'
import { html } from 'hono/html'
import { inputRefused } from '../refusal.ts'
import { authenticate } from './authenticate.ts'
import type { RestEnv, RestParts } from './env.ts'
import { refuse, success } from './envelope.ts'
import { formOf } from './form.ts'

const PAGE = '/connect/portfolio/authorise/holdings/:api_key/:request_id'
const FIRST_AUCTION = 20

export function depositoryRoutes({ books, clock, desk, users, ...parts }: RestParts): Hono<RestEnv> {
  const app = new Hono<RestEnv>()
  const gate = authenticate({ books, clock, desk, users, ...parts })
  const { authorisations } = books

  app.post('/portfolio/holdings/authorise', gate, async (c) => {
    const form = new URLSearchParams(await c.req.text())
    const isins = form.getAll('isin')
    const quantities = form.getAll('quantity').map(Number)
    if (isins.length !== quantities.length || quantities.some((quantity) => !(quantity > 0)))
      return refuse(c, inputRefused('Invalid `quantity`.'))
    const pairs = isins.map((isin, index) => [isin, quantities[index] ?? 0] as const)
    const { user_id } = c.get('user')
    const request = { user_id, quantities: pairs.length > 0 ? new Map(pairs) : undefined }
    return success(c, { request_id: authorisations.request(request) })
  })

  app.get('/portfolio/holdings/auctions', gate, (c) =>
    success(
      c,
      desk
        .holdings(c.get('user').user_id)
        .map(({ used_quantity: _, short_quantity: __, mtf: ___, ...row }, index) => ({
          ...{ ...row, auction_number: String(FIRST_AUCTION + index) },
        })),
    ),
  )

  /** Of the app that asked, and not granted yet. */
  const asked = (c: Context<RestEnv, typeof PAGE>) => {
    const request = authorisations.find(c.req.param('request_id'))
    const ofApp = users.byApiKey(c.req.param('api_key')).some(({ user_id }) => user_id === request?.user_id)
    return ofApp ? request : undefined
  }
  app.get(PAGE, (c) => {
    const request = asked(c)
    if (!request) return c.text('Invalid request.', 400)
    const offered = books.toAuthorise(request.user_id)
    return c.html(
      page(
        offered.map(({ tradingsymbol, held, isin }) =>
          lineOf(tradingsymbol, request.quantities?.get(isin) ?? held),
        ),
      ),
    )
  })
  app.post(PAGE, async (c) => {
    const request = asked(c)
    if (!request || !/^\d{6}$/.test((await formOf(c)).otp ?? '')) return c.text('Invalid request.', 400)
    const held = new Map(books.toAuthorise(request.user_id).map((each) => [each.isin, each]))
    authorisations.grant(c.req.param('request_id'), held, clock.nowMs())
    return c.redirect(`${c.req.path}/finish?status=success`, 302)
  })
  app.get(`${PAGE}/finish`, (c) => c.text(`Authorisation: ${c.req.query('status') ?? ''}`))
  return app
}

const lineOf = (tradingsymbol: string, quantity: number) => html`<li>${tradingsymbol}: ${quantity}</li>`

function page(lines: unknown[]) {
  return html`<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Kite simulator: authorise holdings</title></head>
<body>
<p><strong>SIMULATOR</strong>: not the depository. Any six digits will do.</p>
<h1>Authorise the sale of</h1>
<ul>${lines}</ul>
<form method="post"><label>OTP <input name="otp" inputmode="numeric" pattern="[0-9]{6}" required></label><button type="submit">Authorise</button></form>
</body>
</html>`
}
