// Deny by default: every path but the listed ones needs an API key. Failures are counted per client address and
// audited, both bounded. When the database is down, keys seen in the last 15 s still work; others get 503.
import { sha256Hex } from '@ticker/shared/crypto'
import { scope } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import type { Context, MiddlewareHandler } from 'hono'
import { z } from 'zod'
import { iso } from '../database.ts'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { clientAddress } from '../http/call.ts'
import { Refused } from '../http/problem.ts'
import type { Actor } from './actor.ts'
import { auditInsert } from './audit.ts'
import type { BlockedAddresses } from './blocked-addresses.ts'
import type { KeyCache } from './key-cache.ts'

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
  cache: KeyCache,
  blocked: BlockedAddresses,
): MiddlewareHandler<AppEnv> {
  const denials = denialAudit(deps, blocked)
  return async (c, next) => {
    if (OPEN_PATHS.some((pattern) => pattern.test(c.req.path))) return next()
    const key = BEARER_KEY.exec(c.req.header('authorization') ?? '')?.[1]
    const actor =
      key === undefined ? undefined : await findActor(deps, cache, key, () => blocked.check(clientAddress(c)))
    if (!actor) return denials(c, key === undefined ? 'no usable key' : 'unknown, revoked or expired key')
    c.set('actor', actor)
    await next()
  }
}

const keyRow = z.object({
  id: z.string(),
  owner: z.string(),
  scopes: z.array(scope),
  account_ids: z.array(z.string()).nullable(),
  expires_at: z.string().nullable(),
  realm: z.string().nullable(),
})

async function findActor(
  deps: Dependencies,
  cache: KeyCache,
  key: string,
  beforeQuery: () => void,
): Promise<Actor | undefined> {
  const secretSha256 = await sha256Hex(key)
  const known = cache.get(secretSha256)
  if (known) return known
  beforeQuery()
  const [row] = await deps.db.rows(
    keyRow,
    sql`select k.id, k.owner, to_jsonb(k.scopes) as scopes, to_jsonb(k.account_ids) as account_ids,
        ${iso(sql`k.expires_at`)} as expires_at, (select realm from ticker.deployment) as realm
      from ticker.api_keys k
      where k.secret_sha256 = ${secretSha256} and k.revoked_at is null
        and (k.expires_at is null or k.expires_at > now())`,
  )
  if (!row) return undefined
  if (row.realm !== deps.config.realm) {
    throw new Error(`the database is of realm ${row.realm}, this Worker has REALM=${deps.config.realm}`)
  }
  const actor: Actor = {
    key_id: row.id,
    owner: row.owner,
    scopes: new Set(row.scopes),
    account_ids: row.account_ids && new Set(row.account_ids),
    expires_at: row.expires_at,
  }
  cache.put(secretSha256, actor)
  return actor
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
