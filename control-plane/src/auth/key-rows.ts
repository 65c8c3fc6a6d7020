import { sql } from 'drizzle-orm'
import { iso } from '../database.ts'

/** An API key `k` as the API shows it: never its hash. */
export const apiKeyJson = sql`jsonb_build_object(
  'id', k.id, 'name', k.name, 'owner', k.owner, 'scopes', k.scopes, 'account_ids', k.account_ids,
  'expires_at', ${iso(sql`k.expires_at`)}, 'refuse_repeats_s', k.refuse_repeats_s, 'revoked_at', ${iso(sql`k.revoked_at`)},
  'created_at', ${iso(sql`k.created_at`)})`
