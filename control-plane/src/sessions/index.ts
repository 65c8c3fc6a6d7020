// Broker login in the user's own browser, session status, logout, and the broker's postbacks.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { accountId, loginLink, session, storedText } from '@ticker/shared/domain'
import type { Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { getCookie, setCookie } from 'hono/cookie'
import { getSession } from '../accounts/read.ts'
import type { BlockedAddresses } from '../auth/blocked-addresses.ts'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf, clientAddress, openCallOf } from '../http/call.ts'
import { invalidRequest, refusalOf } from '../http/errors.ts'
import { failures, json, needs, OPEN, openFailures } from '../http/openapi.ts'
import { problemResponse, Refused, settle } from '../http/problem.ts'
import { beginLogin, LOGIN_STATE_AGE_S_MAX } from './begin-login.ts'
import { finishLogin } from './finish-login.ts'
import { logout } from './logout.ts'
import { openLogin } from './open-login.ts'
import { loggedInPage, refusalPage } from './page.ts'
import { postback, receivePostback } from './postback.ts'

const POSTBACK_BYTES_MAX = 64 * 1024
const params = z.object({ id: accountId })
const ONE = ['account_not_found', 'account_not_allowed', 'invalid_request'] as const

const login = createRoute({
  method: 'post',
  path: '/v1/accounts/{id}/login',
  summary: 'A link to log the account in at the broker, in your own browser',
  ...needs('accounts:write'),
  request: { params },
  responses: { 201: json(loginLink, 'Valid for ten minutes, once'), ...failures(...ONE, 'account_disabled') },
})
const status = createRoute({
  method: 'get',
  path: '/v1/accounts/{id}/session',
  summary: 'Whether the account is logged in',
  ...needs('accounts:read'),
  request: { params },
  responses: { 200: json(session, 'The session'), ...failures(...ONE) },
})
const end = createRoute({
  method: 'delete',
  path: '/v1/accounts/{id}/session',
  summary: 'Log out, here and at the broker',
  ...needs('accounts:write'),
  request: { params },
  responses: {
    200: json(session, 'Logged out here; `reason` says so when the broker did not confirm'),
    ...failures(...ONE),
  },
})
const open = createRoute({
  method: 'get',
  path: '/kite/login/{state}',
  summary: 'Where a login link leads: binds it to this browser and redirects to the broker',
  ...OPEN,
  request: { params: z.object({ state: z.string().max(300) }) },
  responses: {
    302: { description: "To the broker's login page" },
    ...openFailures('login_state_invalid'),
  },
})
const callback = createRoute({
  method: 'get',
  path: '/kite/callback',
  summary: 'Where the broker sends the browser after a login',
  ...OPEN,
  request: {
    query: z.object({
      request_token: storedText(200).optional(),
      status: z.string().max(50).optional(),
      state: z.string().max(300).optional(),
    }),
  },
  responses: {
    200: { description: 'Logged in', content: { 'text/html': { schema: z.string() } } },
    ...openFailures(
      'login_state_invalid',
      'login_user_mismatch',
      'account_exists',
      'account_disabled',
      'broker_refused',
      'broker_unreachable',
    ),
  },
})
const receive = createRoute({
  method: 'post',
  path: '/kite/postback/{account}',
  summary: "The broker's order postback; set this URL in the app's profile",
  ...OPEN,
  middleware: bodyLimit({
    maxSize: POSTBACK_BYTES_MAX,
    onError: () => {
      throw new Refused({ code: 'body_too_large', detail: 'A postback has at most 64 kB.' })
    },
  }),
  request: { params: z.object({ account: accountId }) },
  responses: {
    200: json(z.object({ received: z.literal(true) }), 'Noted; the order is read again'),
    ...openFailures('postback_forged', 'malformed_json', 'invalid_request', 'body_too_large', 'rate_limited'),
  },
})

export function sessionRoutes(deps: Dependencies, blocked: BlockedAddresses) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(login, async (c) =>
      c.json(settle(await beginLogin(callOf(c, deps), c.req.valid('param').id)), 201),
    )
    .openapi(status, async (c) =>
      c.json(settle(await getSession(callOf(c, deps), c.req.valid('param').id)), 200),
    )
    .openapi(end, async (c) => c.json(settle(await logout(callOf(c, deps), c.req.valid('param').id)), 200))
    .openapi(open, (c) =>
      asPage(c, deps, async () => {
        const call = openCallOf(c, deps)
        const opened = settle(await openLogin(call, c.req.valid('param').state, (name) => getCookie(c, name)))
        setCookie(c, opened.cookie.name, opened.cookie.value, {
          path: '/kite',
          httpOnly: true,
          sameSite: 'Lax',
          secure: call.origin.startsWith('https:'),
          maxAge: LOGIN_STATE_AGE_S_MAX,
        })
        return c.redirect(opened.redirectUrl, 302)
      }),
    )
    .openapi(callback, (c) =>
      asPage(c, deps, async () =>
        loggedInPage(
          styleNonce(c),
          settle(await finishLogin(openCallOf(c, deps), c.req.valid('query'), (name) => getCookie(c, name))),
        ),
      ),
    )
    .openapi(receive, async (c) => {
      const received = readPostback(await c.req.text())
      const { account } = c.req.valid('param')
      return c.json(
        settle(await receivePostback(openCallOf(c, deps), account, received, clientAddress(c), blocked)),
        200,
      )
    })
}

function styleNonce(c: Context<AppEnv>): string {
  return c.get('secureHeadersNonce') ?? ''
}

/** The broker does not state a content type, so the raw body is parsed. */
function readPostback(text: string) {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Refused({ code: 'malformed_json' })
  }
  const parsed = postback.safeParse(value)
  if (parsed.success) return parsed.data
  throw new Refused({ code: 'invalid_request', detail: 'order_id, order_timestamp and checksum are needed.' })
}

/** People get a page, programs that ask for JSON get the problem. */
async function asPage(
  c: Context<AppEnv>,
  deps: Dependencies,
  serve: () => Promise<Response>,
): Promise<Response> {
  try {
    return await serve()
  } catch (error) {
    const known = refusalOf(error)
    if (!known) deps.log('error', 'unexpected_error', { request_id: c.var.requestId, error })
    const refusal = known ?? { code: 'internal' as const }
    const wantsJson = /\bjson\b/.test(c.req.header('accept') ?? '')
    return wantsJson
      ? problemResponse(refusal, c.var.requestId)
      : refusalPage(styleNonce(c), refusal, c.var.requestId)
  }
}
