import { apiKey } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Call } from '../http/call.ts'
import { decodeCursor, type PageQuery, pageOf } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { auditInsert } from './audit.ts'
import type { KeyCache } from './key-cache.ts'
import { apiKeyJson } from './key-rows.ts'

const row = z.object({ api_key: apiKey })

/** Keys of the same owner, newest first, revoked ones included. */
export async function listApiKeys(call: Call, query: PageQuery) {
  const before = decodeCursor(query.cursor, 1)
  const rows = await call.deps.db.rows(
    row,
    sql`select ${apiKeyJson} as api_key from ticker.api_keys k
      where k.owner = ${call.actor.owner} and ${before ? sql`k.id < ${before[0]}` : sql`true`}
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
  const found = await call.deps.db.rows(
    row,
    sql`with k as (
        update ticker.api_keys set revoked_at = coalesce(revoked_at, now())
        where id = ${id} and owner = ${call.actor.owner}
        returning *
      ), audited as (${auditInsert(
        {
          auditor: { kind: 'api_key', key_id: call.actor.key_id },
          action: 'api_key.revoke',
          subject: id,
          outcome: 'allowed',
          requestId: call.requestId,
        },
        sql`k`,
      )})
      select ${apiKeyJson} as api_key from k`,
  )
  cache.forget(id)
  return found.length > 0 ? done(null) : refused('not_found')
}
