// Deny by default: every path but the listed ones needs an API key. Failures are counted per client address and
// audited, both bounded. When the database is down, keys seen in the last 15 s still work; others get 503.
import type { Context, MiddlewareHandler } from 'hono'
import { z } from 'zod'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { clientAddress } from '../http/call.ts'
import { Refused } from '../http/problem.ts'
import { auditInsert } from './audit.ts'
import type { BlockedAddresses } from './blocked-addresses.ts'
import type { Keys } from './keys-lookup.ts'

const BEARER_KEY = /^Bearer (key_[0-9a-f]{32}_[0-9a-f]{64})$/i
const OPEN_PATHS = [
  /^\/healthz$/,
  /^\/readyz$/,
  /^\/openapi\.json$/,
  /^\/kite\/(login|postback)\/[^/]+$/,
  /^\/kite\/callback$/,
]
/** Rows of refused attempts this isolate writes a minute, whatever the number of addresses. */
const DENIALS_AUDITED_PER_MINUTE_MAX = 60

export function authenticate(
  deps: Dependencies,
  keys: Keys,
  blocked: BlockedAddresses,
): MiddlewareHandler<AppEnv> {
  const denials = denialAudit(deps, blocked)
  return async (c, next) => {
    if (OPEN_PATHS.some((pattern) => pattern.test(c.req.path))) return next()
    const key = BEARER_KEY.exec(c.req.header('authorization') ?? '')?.[1]
    const actor =
      key === undefined ? undefined : await keys.bySecret(key, () => blocked.check(clientAddress(c)))
    if (!actor) return denials(c, key === undefined ? 'no usable key' : 'unknown, revoked or expired key')
    c.set('actor', actor)
    await next()
  }
}

/** Refuses: 429 past the address's limit, else 401 and an audit row. */
export function denialAudit(deps: Dependencies, blocked: BlockedAddresses) {
  let minute = 0
  let written = 0
  return async (c: Context<AppEnv>, reason: string): Promise<never> => {
    const address = clientAddress(c)
    await blocked.failed(address)
    const currentMinute = Math.floor(deps.clock.nowMs() / 60_000)
    if (currentMinute !== minute) {
      minute = currentMinute
      written = 0
    }
    if (written < DENIALS_AUDITED_PER_MINUTE_MAX) {
      written += 1
      const entry = auditInsert({
        auditor: { kind: 'anonymous', address },
        action: 'api_key.authenticate',
        subject: c.req.method,
        outcome: 'denied',
        requestId: c.var.requestId,
        detail: { reason },
      })
      c.executionCtx.waitUntil(
        deps.db.rows(z.unknown(), entry).then(
          () => {},
          (error: unknown) => deps.log('warn', 'audit_failed', { request_id: c.var.requestId, error }),
        ),
      )
    }
    throw new Refused({ code: 'unauthenticated' })
  }
}
