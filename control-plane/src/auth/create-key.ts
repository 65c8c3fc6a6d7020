import { randomToken, sha256Hex } from '@ticker/shared/crypto'
import { type ApiKey, type ApiKeyCreate, apiKey, newId } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { byKey } from './actor.ts'
import { auditInsert } from './audit.ts'
import { apiKeyJson } from './key-rows.ts'

/** A key with at most the rights, accounts and life of the key that makes it. Its text is returned once. */
export async function createApiKey(
  call: Call,
  input: ApiKeyCreate,
): Promise<Outcome<ApiKey & { secret: string }>> {
  const { actor } = call
  const lacking = input.scopes.filter((scope) => !actor.scopes.has(scope))
  if (lacking.length > 0) {
    return refused('scope_missing', { detail: `A key cannot grant what it lacks: ${lacking.join(', ')}.` })
  }
  const accountIds = input.account_ids ?? (actor.account_ids && [...actor.account_ids])
  const foreign = actor.account_ids && accountIds?.find((id) => !actor.account_ids?.has(id))
  if (foreign) return refused('account_not_allowed', { detail: `This key may not use ${foreign}.` })
  const id = newId('key')
  const secret = `${id}_${randomToken()}`
  const [row] = await call.deps.db.rows(
    z.object({ api_key: apiKey }),
    sql`with k as (
        insert into ticker.api_keys (id, name, owner, secret_sha256, scopes, account_ids, expires_at, refuse_repeats_s)
        values (${id}, ${input.name}, ${actor.owner}, ${await sha256Hex(secret)},
          (select array_agg(value) from jsonb_array_elements_text(${JSON.stringify(input.scopes)}::jsonb)),
          ${accountIds ? sql`(select coalesce(array_agg(value), '{}') from jsonb_array_elements_text(${JSON.stringify(accountIds)}::jsonb))` : sql`null::text[]`},
          least(${input.expires_at ?? null}::timestamptz, ${actor.expires_at}::timestamptz), ${input.refuse_repeats_s ?? null})
        returning *
      ), audited as (${auditInsert(
        {
          auditor: byKey(actor),
          action: 'api_key.create',
          subject: id,
          outcome: 'allowed',
          requestId: call.requestId,
          detail: {
            ...{ scopes: input.scopes, account_ids: accountIds },
            refuse_repeats_s: input.refuse_repeats_s,
          },
        },
        sql`k`,
      )})
      select ${apiKeyJson} as api_key from k`,
  )
  if (!row) throw new Error('an inserted API key was not returned')
  return done({ ...row.api_key, secret })
}
