// The audit log: who did what to which subject, and whether it was allowed. Written in the statement it is about.
import { newId } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { type Auditor, auditName } from './actor.ts'

export interface AuditEntry {
  auditor: Auditor
  /** subject.verb, such as `api_key.create` or `access_token.read`. */
  action: string
  /** Or what the statement knows of `source`. */
  subject: string | SQL
  outcome: 'allowed' | 'denied'
  requestId: string
  detail?: Record<string, unknown>
}

/** An INSERT that happens once per row of `source`: a CTE of the same statement, or nothing for always. */
export function auditInsert(entry: AuditEntry, source?: SQL): SQL {
  return sql`insert into ticker.audit_log (id, actor, action, subject, owner, outcome, request_id, detail)
    select ${newId('aud')}::text, ${auditName(entry.auditor)}::text, ${entry.action}::text, ${entry.subject}::text,
      ${ownerOf(entry)}::text, ${entry.outcome}::text, ${entry.requestId}::text, ${JSON.stringify(entry.detail ?? {})}::jsonb
    ${source ? sql`from ${source} limit 1` : sql``}`
}

/** In whose log it belongs: the key's owner; for browsers and the broker, the owner of the account it is about. */
function ownerOf({ auditor, subject }: AuditEntry): SQL {
  switch (auditor.kind) {
    case 'api_key':
      return sql`${auditor.owner}`
    case 'browser':
    case 'broker':
      return sql`(select owned.owner from ticker.accounts owned where owned.id = ${subject})`
    case 'anonymous':
      return sql`null`
  }
}
