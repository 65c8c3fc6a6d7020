// API keys as they are in the database now, remembered for at most 15 s: by their secret, or by their id where something
// else has proved it (a day token).
import { sha256Hex } from '@ticker/shared/crypto'
import { scope } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { iso } from '../database.ts'
import type { Dependencies } from '../dependencies.ts'
import type { Actor } from './actor.ts'
import type { KeyCache } from './key-cache.ts'

export const API_KEY = /^key_[0-9a-f]{32}_[0-9a-f]{64}$/i

/** `beforeQuery` may refuse the question: it is not asked of keys that are remembered. */
export interface Keys {
  bySecret(key: string, beforeQuery: () => void): Promise<Actor | undefined>
  byId(id: string, beforeQuery: () => void): Promise<Actor | undefined>
}

const keyRow = z.object({
  id: z.string(),
  owner: z.string(),
  scopes: z.array(scope),
  account_ids: z.array(z.string()).nullable(),
  expires_at: z.string().nullable(),
  refuse_repeats_s: z.int().nullable(),
  realm: z.string().nullable(),
})

export function keysLookup(deps: Dependencies, cache: KeyCache): Keys {
  async function find(name: string, which: SQL, beforeQuery: () => void): Promise<Actor | undefined> {
    const known = cache.get(name)
    if (known) return known
    beforeQuery()
    const [row] = await deps.db.rows(
      keyRow,
      sql`select k.id, k.owner, to_jsonb(k.scopes) as scopes, to_jsonb(k.account_ids) as account_ids,
          ${iso(sql`k.expires_at`)} as expires_at, k.refuse_repeats_s, (select realm from ticker.deployment) as realm
        from ticker.api_keys k
        where ${which} and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())`,
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
      refuse_repeats_s: row.refuse_repeats_s,
    }
    cache.put(name, actor)
    return actor
  }

  return {
    async bySecret(key, beforeQuery) {
      const hash = await sha256Hex(key)
      return find(hash, sql`k.secret_sha256 = ${hash}`, beforeQuery)
    },
    byId: (id, beforeQuery) => find(`id ${id}`, sql`k.id = ${id}`, beforeQuery),
  }
}
