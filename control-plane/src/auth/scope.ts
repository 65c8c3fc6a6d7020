import type { Scope } from '@ticker/shared/domain'
import type { MiddlewareHandler } from 'hono'
import type { AppEnv } from '../dependencies.ts'
import { Refused } from '../http/problem.ts'

/** Refuses keys without the scope; authentication has run before. */
export function requireScope(scope: Scope): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    if (!c.var.actor.scopes.has(scope)) {
      throw new Refused({ code: 'scope_missing', detail: `This route needs the scope ${scope}.` })
    }
    await next()
  }
}
