import { type ApiKey, apiKey } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { textArray } from '../database.ts'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, type PageQuery, pageOf } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { byKey } from './actor.ts'
import { auditInsert } from './audit.ts'
import type { KeyCache } from './key-cache.ts'
import { apiKeyJson } from './key-rows.ts'

const row = z.object({ api_key: apiKey })

/** Whether key `k` grants nothing that the actor lacks: a restricted key neither sees nor ends a stronger one. */
export function withinReach({ actor }: Call): SQL {
  const accounts = actor.account_ids ? sql`k.account_ids <@ ${textArray(actor.account_ids)}` : sql`true`
  return sql`k.scopes <@ ${textArray(actor.scopes)} and coalesce(${accounts}, false)`
}

/** The key that asks. */
export async function getOwnApiKey(call: Call): Promise<ApiKey> {
  const [found] = await call.deps.db.rows(
    row,
    sql`select ${apiKeyJson} as api_key from ticker.api_keys k where k.id = ${call.actor.key_id}`,
  )
  if (!found) throw new Error('a key that was let in is there')
  return found.api_key
}

/** Keys of the same owner within reach, newest first, revoked ones included. */
export async function listApiKeys(call: Call, query: PageQuery) {
  const before = decodeCursor(query.cursor, z.tuple([cursorText]))
  const rows = await call.deps.db.rows(
    row,
    sql`select ${apiKeyJson} as api_key from ticker.api_keys k
      where k.owner = ${call.actor.owner} and ${withinReach(call)} and ${before ? sql`k.id < ${before[0]}` : sql`true`}
      order by k.id desc limit ${query.limit + 1}`,
  )
  return pageOf(
    rows.map((found) => found.api_key),
    query.limit,
    (key) => [key.id],
  )
}

/** Revoking again changes nothing. Other isolates notice within 15 s. */
export async function revokeApiKey(call: Call, cache: KeyCache, id: string): Promise<Outcome<null>> {
  const [found] = await call.deps.db.rows(
    z.object({ exists: z.boolean(), revoked: z.boolean() }),
    sql`with known as (
        select k.id, ${withinReach(call)} as within_reach from ticker.api_keys k
        where k.id = ${id} and k.owner = ${call.actor.owner}
      ), revoked as (
        update ticker.api_keys k set revoked_at = coalesce(k.revoked_at, now())
        from known where k.id = known.id and known.within_reach
        returning k.id
      ), audited as (${auditInsert(
        {
          auditor: byKey(call.actor),
          action: 'api_key.revoke',
          subject: id,
          outcome: 'allowed',
          requestId: call.requestId,
        },
        sql`revoked`,
      )})
      select exists (select 1 from known) as exists, exists (select 1 from revoked) as revoked`,
  )
  if (!found?.exists) return refused('not_found')
  if (!found.revoked)
    return refused('scope_missing', { detail: 'A key cannot revoke one that may do more than itself.' })
  cache.forget(id)
  return done(null)
}
