// The whole HTTP face: the broker's REST, the login page, and the control API under `/sim`. Every failure is the
// broker's envelope; a path that exists answers other methods with 405.
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { refused } from '../refusal.ts'
import { depositoryRoutes } from './depository-routes.ts'
import type { RestEnv, RestParts } from './env.ts'
import { refuse } from './envelope.ts'
import { fundRoutes } from './fund-routes.ts'
import { gttRoutes } from './gtt-routes.ts'
import { historyRoutes } from './history-routes.ts'
import { marginRoutes } from './margin-routes.ts'
import { marketRoutes } from './market-routes.ts'
import { orderRoutes } from './order-routes.ts'
import { sessionRoutes } from './session-routes.ts'

const BODY_BYTES_MAX = 1024 * 1024

export function restApp(parts: RestParts, login: Hono<RestEnv>, control: Hono<RestEnv>): Hono<RestEnv> {
  const app = new Hono<RestEnv>()
  const tooLarge = refused(413, 'InputException', 'Request body is too large.')
  // The rest of such a body is not read, so the connection cannot be used again.
  const refuseBody = (c: Context) => {
    c.header('Connection', 'close')
    return refuse(c, tooLarge)
  }
  app.use(bodyLimit({ maxSize: BODY_BYTES_MAX, onError: refuseBody }))
  const features = [
    login,
    sessionRoutes(parts),
    orderRoutes(parts),
    gttRoutes(parts),
    depositoryRoutes(parts),
    marginRoutes(parts),
    fundRoutes(parts),
    marketRoutes(parts),
    historyRoutes(parts),
    control,
  ]
  for (const feature of features) app.route('/', feature)
  for (const path of new Set(app.routes.filter(({ path }) => path !== '/*').map(({ path }) => path))) {
    app.all(path, (c) => refuse(c, refused(405, 'GeneralException', 'Method not allowed')))
  }
  app.notFound((c) => refuse(c, refused(404, 'GeneralException', 'Route not found')))
  app.onError((_error, c) => refuse(c, refused(500, 'GeneralException', 'Something went wrong.')))
  return app
}
