// Who acts. Everything that is audited names one of these.
import type { Scope } from '@ticker/shared/domain'

/** An API key, as its caller proved it. */
export interface Actor {
  key_id: string
  owner: string
  scopes: ReadonlySet<Scope>
  /** null: every account of the owner. */
  account_ids: ReadonlySet<string> | null
  expires_at: string | null
  /** Orders through the Kite-compatible REST that equal an unsettled one so young are refused; null: none is. */
  refuse_repeats_s: number | null
}

export type Auditor =
  | { kind: 'api_key'; key_id: string; owner: string }
  /** A person's browser on a login link, begun by this key. */
  | { kind: 'browser'; begun_by: string }
  /** Whoever posts order updates for this account. */
  | { kind: 'broker'; account_id: string }
  | { kind: 'anonymous'; address: string }

export const byKey = ({ key_id, owner }: Actor): Auditor => ({ kind: 'api_key', key_id, owner })

export function auditName(auditor: Auditor): string {
  switch (auditor.kind) {
    case 'api_key':
      return auditor.key_id
    case 'browser':
      return `browser:${auditor.begun_by}`
    case 'broker':
      return `broker:${auditor.account_id}`
    case 'anonymous':
      return `anonymous:${auditor.address}`
  }
}

/** Whether the key's own list allows the account; its owner is checked by the query that reads it. */
export function mayUse(actor: Actor, accountId: string): boolean {
  return actor.account_ids === null || actor.account_ids.has(accountId)
}
