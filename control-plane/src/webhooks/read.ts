import { type Webhook, webhook } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { visibleWebhooks, webhookJson } from './rows.ts'

const row = z.object({ webhook })

/** All: an owner has few. */
export async function listWebhooks(call: Call): Promise<{ items: Webhook[] }> {
  const rows = await call.deps.db.rows(
    row,
    sql`select ${webhookJson} as webhook from ticker.webhooks w where ${visibleWebhooks(call.actor)} order by w.id desc`,
  )
  return { items: rows.map((each) => each.webhook) }
}

export async function getWebhook(call: Call, id: string): Promise<Outcome<Webhook>> {
  const [found] = await call.deps.db.rows(
    row,
    sql`select ${webhookJson} as webhook from ticker.webhooks w where w.id = ${id} and ${visibleWebhooks(call.actor)}`,
  )
  return found ? done(found.webhook) : refused('webhook_not_found')
}
