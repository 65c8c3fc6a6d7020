// What a key that is limited to some accounts may not touch: subscriptions and ladders pinned to others.
import { type SQL, sql } from 'drizzle-orm'
import type { Actor } from './actor.ts'

/** A condition on `s`, or on another row of the actor's owner with an account_id. */
export function pinnedElsewhere(actor: Actor, accountId = sql`s.account_id`): SQL {
  if (actor.account_ids === null) return sql`false`
  const allowed = JSON.stringify([...actor.account_ids])
  return sql`${accountId} is not null and not jsonb_exists(${allowed}::jsonb, ${accountId})`
}
