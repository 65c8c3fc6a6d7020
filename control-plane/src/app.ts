// The whole HTTP surface, assembled from its features. Runs the same in workerd and, for tests, in Node.
import { OpenAPIHono } from '@hono/zod-openapi'
import { newId } from '@ticker/shared/domain'
import { bodyLimit } from 'hono/body-limit'
import { requestId } from 'hono/request-id'
import { NONCE, secureHeaders } from 'hono/secure-headers'
import { accountRoutes } from './accounts/index.ts'
import { auditRoutes } from './audit/index.ts'
import { authenticate } from './auth/authenticate.ts'
import { blockedAddresses } from './auth/blocked-addresses.ts'
import { authRoutes } from './auth/index.ts'
import { keyCache } from './auth/key-cache.ts'
import { keysLookup } from './auth/keys-lookup.ts'
import { batchRoutes } from './batches/index.ts'
import { calendarRoutes } from './calendar/index.ts'
import { candleRoutes } from './candles/index.ts'
import { conversionRoutes } from './conversions/index.ts'
import type { AppEnv, Dependencies } from './dependencies.ts'
import { exitRoutes } from './exits/index.ts'
import { gttRoutes } from './gtts/index.ts'
import { historyRoutes } from './history/index.ts'
import { notFoundHandler, openApiDocument } from './http/document.ts'
import { errorHandler, invalidRequest } from './http/errors.ts'
import { Refused } from './http/problem.ts'
import { requestLog } from './http/request-log.ts'
import { instrumentRoutes } from './instruments/index.ts'
import { kiteApi } from './kite-api/index.ts'
import { kitePathOf } from './kite-api/paths.ts'
import { ladderRoutes } from './ladders/index.ts'
import { operationsRoutes } from './operations/index.ts'
import { optionChainRoutes } from './option-chains/index.ts'
import { orderRoutes } from './orders/index.ts'
import { portfolioRoutes } from './portfolio/index.ts'
import { quoteRoutes } from './quotes/index.ts'
import { reconciliationRoutes } from './reconciliations/index.ts'
import { riskRoutes } from './risk/index.ts'
import { sessionRoutes } from './sessions/index.ts'
import { slicedOrderRoutes } from './sliced-orders/index.ts'
import { subscriptionRoutes } from './subscriptions/index.ts'
import { webhookRoutes } from './webhooks/index.ts'

export type { AppEnv, Dependencies } from './dependencies.ts'

const BODY_BYTES_MAX = 1024 * 1024
const REQUEST_ID_CHARACTERS_MAX = 64

export function createApp(deps: Dependencies) {
  const cache = keyCache(deps.clock.nowMs)
  const blocked = blockedAddresses(deps)
  const app = new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
  app.onError(errorHandler(deps))
  // An id that does not look like one is replaced: it ends up in logs and answers.
  app.use(requestId({ limitLength: REQUEST_ID_CHARACTERS_MAX, generator: () => newId('req') }))
  app.use(requestLog(deps))
  app.use(async (c, next) => {
    await next()
    c.header('X-Request-Id', c.var.requestId)
    // Answers hold credentials, or what is true only now.
    c.header('Cache-Control', 'no-store')
  })
  app.use(
    secureHeaders({
      contentSecurityPolicy: {
        defaultSrc: ["'none'"],
        styleSrc: [NONCE],
        baseUri: ["'none'"],
        formAction: ["'none'"],
        frameAncestors: ["'none'"],
      },
      xFrameOptions: 'DENY',
    }),
  )
  const keys = keysLookup(deps, cache)
  const kite = kiteApi(deps, keys, blocked)
  app.use(async (c, next) => {
    const path = kitePathOf(c.req.path)
    if (path === undefined) return next()
    const { search } = new URL(c.req.url)
    return kite(new Request(new URL(`${path}${search}`, c.req.url), c.req.raw), c)
  })
  app.use(authenticate(deps, keys, blocked))
  app.use(
    bodyLimit({
      maxSize: BODY_BYTES_MAX,
      onError: () => {
        throw new Refused({ code: 'body_too_large' })
      },
    }),
  )
  const routes = app
    .route('/', operationsRoutes(deps))
    .route('/', authRoutes(deps, cache))
    .route('/', auditRoutes(deps))
    .route('/', accountRoutes(deps))
    .route('/', sessionRoutes(deps, blocked))
    .route('/', instrumentRoutes(deps))
    .route('/', calendarRoutes(deps))
    .route('/', subscriptionRoutes(deps))
    .route('/', ladderRoutes(deps))
    .route('/', optionChainRoutes(deps))
    .route('/', quoteRoutes(deps))
    .route('/', candleRoutes(deps))
    .route('/', historyRoutes(deps))
    .route('/', orderRoutes(deps))
    .route('/', portfolioRoutes(deps))
    .route('/', webhookRoutes(deps))
    .route('/', riskRoutes(deps))
    .route('/', slicedOrderRoutes(deps))
    .route('/', batchRoutes(deps))
    .route('/', reconciliationRoutes(deps))
    .route('/', gttRoutes(deps))
    .route('/', conversionRoutes(deps))
    .route('/', exitRoutes(deps))
  const document = openApiDocument(app)
  app.get('/openapi.json', (c) => c.json(document()))
  app.notFound(notFoundHandler(app))
  return routes
}

export type App = ReturnType<typeof createApp>
