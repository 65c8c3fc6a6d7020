import { auditEntry } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Actor } from '../auth/actor.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, type PageQuery, pageOf } from '../http/pagination.ts'

export async function listAudit(call: Call, query: PageQuery & { subject?: string; action?: string }) {
  const before = decodeCursor(query.cursor, z.tuple([cursorText]))
  const rows = await call.deps.db.rows(
    z.object({ entry: auditEntry }),
    sql`select jsonb_build_object('id', l.id, 'at', ${iso(sql`l.at`)}, 'actor', l.actor, 'action', l.action,
        'subject', l.subject, 'outcome', l.outcome, 'request_id', l.request_id, 'detail', l.detail) as entry
      from ticker.audit_log l
      where ${mayRead(call.actor)}
        and ${query.subject === undefined ? sql`true` : sql`l.subject = ${query.subject}`}
        and ${query.action === undefined ? sql`true` : sql`l.action = ${query.action}`}
        and ${before ? sql`l.id < ${before[0]}` : sql`true`}
      order by l.id desc limit ${query.limit + 1}`,
  )
  return pageOf(
    rows.map((row) => row.entry),
    query.limit,
    (entry) => [entry.id],
  )
}

/** What actions of these kinds are about is an account; a ladder or a key may be called the same. */
const OF_ACCOUNTS = ['access_token', 'account', 'api_secret', 'kite_token', 'postback', 'session']

/** What is its owner's; to a key with a list, only what is about accounts of it. */
function mayRead(actor: Actor): SQL {
  const owned = sql`l.owner = ${actor.owner}`
  if (actor.account_ids === null) return owned
  const kinds = sql.join(
    OF_ACCOUNTS.map((kind) => sql`${kind}`),
    sql`, `,
  )
  return sql`(${owned} and split_part(l.action, '.', 1) in (${kinds})
    and l.subject in (select jsonb_array_elements_text(${JSON.stringify([...actor.account_ids])}::jsonb)))`
}
