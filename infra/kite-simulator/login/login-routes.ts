// `GET /connect/login` and its form: ends with a redirect to the app's registered URL that carries a single-use
// request token and the caller's `redirect_params` (KITE.md 3).
import { Hono } from 'hono'
import type { RestEnv } from '../rest/env.ts'
import { formOf } from '../rest/form.ts'
import type { User, UserStore } from '../users/user-store.ts'
import { loginPage } from './page.ts'

export function loginRoutes(users: UserStore): Hono<RestEnv> {
  const app = new Hono<RestEnv>()

  app.get('/connect/login', (c) => {
    const apiKey = c.req.query('api_key') ?? ''
    const [user] = users.byApiKey(apiKey)
    if (user === undefined) return c.text('Invalid `api_key`.', 400)
    const redirectParams = c.req.query('redirect_params') ?? ''
    return c.html(loginPage({ apiKey, redirectParams, userId: user.user_id, error: null }))
  })

  app.post('/connect/login', async (c) => {
    const form = await formOf(c)
    const apiKey = form.api_key ?? ''
    const redirectParams = form.redirect_params ?? ''
    const userId = form.user_id ?? ''
    const user = users.byApiKey(apiKey).find((candidate) => candidate.user_id === userId)
    const error = formError(user, form)
    if (user === undefined || error !== null) {
      return c.html(loginPage({ apiKey, redirectParams, userId, error }), 400)
    }
    if (user.redirect_url === null) return c.text('The app has no redirect URL registered.', 400)
    return c.redirect(redirectTarget(user.redirect_url, users.issueRequestToken(user), redirectParams), 302)
  })
  return app
}

function formError(user: User | undefined, form: Record<string, string>): string | null {
  if (user === undefined) return 'User profile not found for this app.'
  if (!form.password) return 'Password is required.'
  return /^\d{6}$/.test(form.totp ?? '') ? null : 'Invalid TOTP: six digits.'
}

/** The decoded `redirect_params` come last, and cannot replace the broker's own parameters. */
export function redirectTarget(redirectUrl: string, requestToken: string, redirectParams: string): string {
  const target = new URL(redirectUrl)
  const own = { action: 'login', type: 'login', status: 'success', request_token: requestToken }
  for (const [key, value] of Object.entries(own)) target.searchParams.set(key, value)
  for (const [key, value] of new URLSearchParams(redirectParams)) {
    if (!(key in own)) target.searchParams.append(key, value)
  }
  return target.href
}
