// The broker's own REST for unmodified Kite clients, at the root of this origin and under /kite/api: a strategy becomes
// safe by changing its root URL (KITE-COMPATIBILITY "REST").
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { routePath } from 'hono/route'
import type { BlockedAddresses } from '../auth/blocked-addresses.ts'
import type { Keys } from '../auth/keys-lookup.ts'
import { DatabaseUnavailable } from '../database.ts'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { clientAddress, openCallOf } from '../http/call.ts'
import { refusalOf } from '../http/errors.ts'
import { accountRoutes } from './account.ts'
import { createIdentify, requireScope } from './credentials.ts'
import type { KiteEnv } from './env.ts'
import { badInput, failure, failureOf, KiteFailure, UNCERTAIN } from './envelope.ts'
import { fundRoutes } from './funds.ts'
import { gttRoutes } from './gtts.ts'
import { holdingRoutes } from './holdings.ts'
import { readLimits } from './limits.ts'
import { marketRoutes } from './market.ts'
import { orderRoutes } from './orders.ts'
import { triggerRangeRoutes } from './trigger-ranges.ts'

const BODY_BYTES_MAX = 1024 * 1024
/** The official clients give up at 7 s. */
const ANSWER_WITHIN_MS = 5_000

export type KiteApi = (request: Request, c: Context<AppEnv>) => Promise<Response>

export function kiteApi(deps: Dependencies, keys: Keys, blocked: BlockedAddresses): KiteApi {
  const identify = createIdentify(deps, keys)
  const limit = readLimits(deps)
  const app = new Hono<KiteEnv>()
  // Sent without credentials: to get some.
  app.on('POST', ['/session/token', '/session/refresh_token'], () => {
    throw badInput(
      'You log in at the broker in your own browser, for all of your programs at once: POST /v1/accounts/{id}/login. ' +
        'The access_token of a program is one of our API keys, or a day token (POST /v1/kite-tokens).',
    )
  })
  app.use(async (c, next) => {
    const { outer } = c.env
    const address = clientAddress(outer)
    const identity = await identify(c.req.header('authorization'), () => blocked.check(address))
    if (!identity) {
      await blocked.failed(address)
      throw new KiteFailure(403, 'TokenException', 'Incorrect `api_key` or `access_token`.')
    }
    outer.set('actor', identity.actor)
    limit(identity.actor.key_id, c.req.method, c.req.path)
    c.set('kite', (scope) => {
      if (scope) requireScope(identity, scope)
      return { call: { ...openCallOf(outer, deps), actor: identity.actor }, accountId: identity.accountId }
    })
    await next()
    outer.set('route', routePath(c, -1))
  })
  app.use(
    bodyLimit({
      maxSize: BODY_BYTES_MAX,
      onError: () => {
        throw failureOf({ code: 'body_too_large' })
      },
    }),
  )
  app.route('/', orderRoutes())
  app.route('/', gttRoutes())
  app.route('/', holdingRoutes())
  app.route('/', fundRoutes())
  app.route('/', accountRoutes())
  app.route('/', triggerRangeRoutes())
  app.route('/', marketRoutes(deps.clock.nowMs))
  app.notFound(() => failure(new KiteFailure(404, 'GeneralException', 'Route not found.')))
  app.onError((error, c) => {
    if (error instanceof KiteFailure) return failure(error)
    const refusal = error instanceof DatabaseUnavailable && isWrite(c.req.raw) ? undefined : refusalOf(error)
    if (refusal) return failure(failureOf(refusal))
    deps.log('error', 'unexpected_error', { request_id: c.env.outer.var.requestId, error })
    // Without an Idempotency-Key a repeat would be a second one, and this one may have been stored.
    if (isWrite(c.req.raw)) return failure(UNCERTAIN())
    return failure(new KiteFailure(500, 'GeneralException', 'Something went wrong here.'))
  })
  return async (request, outer) => {
    const answering = Promise.resolve(app.fetch(request, { outer }))
    const over = new AbortController()
    const late = deps.clock.sleep(ANSWER_WITHIN_MS, over.signal).then(() => undefined)
    const answer = await Promise.race([answering, late])
    over.abort()
    if (answer) return answer
    // What it has begun it ends: an order that is being stored is stored.
    outer.executionCtx.waitUntil(answering)
    return failure(late504(request))
  }
}

/** What is sent to the broker: an order, a GTT, a conversion. */
function isWrite({ method, url }: Request): boolean {
  const { pathname } = new URL(url)
  return method !== 'GET' && (/^\/(orders|gtt)\//.test(pathname) || pathname === '/portfolio/positions')
}

/** Only a read is asked again without a look. */
function late504(request: Request): KiteFailure {
  if (isWrite(request)) return UNCERTAIN()
  const next = request.method === 'GET' ? 'Ask again.' : 'Please check what came of it before asking again.'
  return new KiteFailure(504, 'NetworkException', `Gateway timed out. ${next}`)
}
