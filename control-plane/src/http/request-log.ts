// One line a request. The route's pattern is logged, not the path: login links carry a secret in theirs.
import type { MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import type { AppEnv, Dependencies } from '../dependencies.ts'

export function requestLog(deps: Pick<Dependencies, 'log' | 'clock'>): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const startedMs = deps.clock.nowMs()
    await next()
    deps.log('info', 'request', {
      request_id: c.var.requestId,
      method: c.req.method,
      route: c.var.route ?? routePath(c, -1),
      status: c.res.status,
      duration_ms: deps.clock.nowMs() - startedMs,
      // Unset when authentication failed or was not asked for.
      key_id: c.var.actor?.key_id,
    })
  }
}
