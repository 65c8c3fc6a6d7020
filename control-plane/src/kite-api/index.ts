// The broker's own REST for unmodified Kite clients, at the root of this origin and under /kite/api: a strategy becomes
// safe by changing its root URL (KITE-COMPATIBILITY "REST").
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { BlockedAddresses } from '../auth/blocked-addresses.ts'
import type { Keys } from '../auth/keys-lookup.ts'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { clientAddress, openCallOf } from '../http/call.ts'
import { refusalOf } from '../http/errors.ts'
import { accountRoutes } from './account.ts'
import { createIdentify, requireScope } from './credentials.ts'
import type { KiteEnv } from './env.ts'
import { failure, failureOf, KiteFailure } from './envelope.ts'
import { marketRoutes } from './market.ts'
import { orderRoutes } from './orders.ts'

const BODY_BYTES_MAX = 1024 * 1024

export type KiteApi = (request: Request, c: Context<AppEnv>) => Promise<Response>

export function kiteApi(deps: Dependencies, keys: Keys, blocked: BlockedAddresses): KiteApi {
  const identify = createIdentify(deps, keys)
  const app = new Hono<KiteEnv>()
  app.use(async (c, next) => {
    const { outer } = c.env
    const address = clientAddress(outer)
    const identity = await identify(c.req.header('authorization'), () => blocked.check(address))
    if (!identity) {
      await blocked.failed(address)
      throw new KiteFailure(403, 'TokenException', 'Incorrect `api_key` or `access_token`.')
    }
    c.set('kite', (scope) => {
      if (scope) requireScope(identity, scope)
      return { call: { ...openCallOf(outer, deps), actor: identity.actor }, accountId: identity.accountId }
    })
    await next()
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
  app.route('/', accountRoutes())
  app.route('/', marketRoutes(deps.clock.nowMs))
  app.notFound(() => failure(new KiteFailure(404, 'GeneralException', 'Route not found.')))
  app.onError((error, c) => {
    if (error instanceof KiteFailure) return failure(error)
    const refusal = refusalOf(error)
    if (refusal) return failure(failureOf(refusal))
    deps.log('error', 'unexpected_error', { request_id: c.env.outer.var.requestId, error })
    return failure(new KiteFailure(500, 'GeneralException', 'Something went wrong here.'))
  })
  return async (request, outer) => app.fetch(request, { outer })
}
