import { Secret, seal } from '@ticker/shared/crypto'
import { newId, WEBHOOKS_MAX, type WebhookCreate, type WebhookCreated, webhook } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { byKey } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { lackingScopes, webhookJson } from './rows.ts'

const SECRET_BYTES = 32

/** Tells of what happens from now on. Where the host leads is checked by the data plane, at each connection. */
export async function createWebhook(call: Call, input: WebhookCreate): Promise<Outcome<WebhookCreated>> {
  const { actor, deps } = call
  const wrong = wrongUrl(input.url, deps.config.realm)
  if (wrong) return refused('invalid_request', { errors: [{ path: 'url', message: wrong }] })
  const accountIds = input.account_ids ?? (actor.account_ids && [...actor.account_ids])
  const lacking = lackingScopes(actor, input.events)
  if (lacking.length > 0)
    return refused('scope_missing', { detail: `To be told of that a key needs ${lacking.join(' and ')}.` })
  const foreign = actor.account_ids && accountIds?.find((id) => !actor.account_ids?.has(id))
  if (foreign) return refused('account_not_allowed', { detail: `This key may not use ${foreign}.` })
  const id = newId('whk')
  const secret = newSecret()
  const sealed = await seal(deps.config.credentialKeys, id, 'webhook_secret', new Secret(secret))
  const list = (values: readonly string[]) =>
    sql`(select array_agg(value order by value) from jsonb_array_elements_text(${JSON.stringify([...new Set(values)])}::jsonb))`
  const [row] = await deps.db.rows(
    z.object({ webhook: webhook.nullable() }),
    sql`with w as (
        insert into ticker.webhooks (id, owner, account_ids, url, secret, events, created_by)
        select ${id}, ${actor.owner}, ${accountIds ? list(accountIds) : sql`null::text[]`}, ${input.url}, ${sealed},
          ${list(input.events)}, ${actor.key_id}
        where (select count(*) from ticker.webhooks other where other.owner = ${actor.owner}) < ${WEBHOOKS_MAX}::int
        returning *
      ), cursors as (
        insert into ticker.webhook_cursors (webhook_id, account_id, seq)
        select w.id, a.id, a.event_seq from w join ticker.accounts a on a.owner = w.owner
      ), audited as (${auditInsert(
        {
          auditor: byKey(actor),
          action: 'webhook.create',
          subject: id,
          outcome: 'allowed',
          requestId: call.requestId,
          detail: { url: new URL(input.url).origin, events: input.events, account_ids: accountIds },
        },
        sql`w`,
      )})
      select (select ${webhookJson} from w) as webhook`,
  )
  return row?.webhook ? done({ ...row.webhook, secret }) : refused('webhook_limit')
}

function wrongUrl(text: string, realm: 'live' | 'sim'): string | undefined {
  if (!URL.canParse(text)) return 'not a URL'
  const { protocol, username, password, hash } = new URL(text)
  if (protocol !== 'https:' && !(realm === 'sim' && protocol === 'http:')) return 'must be https'
  if (username || password) return 'may not hold credentials: verify the signature instead'
  return hash ? 'may not have a fragment' : undefined
}

/** As the Standard Webhooks specification spells it. */
function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES))
  return `whsec_${btoa(String.fromCharCode(...bytes))}`
}
