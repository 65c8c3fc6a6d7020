// A question to the one instance that has the account, about what only the broker knows of it.
import { type AccountReading, type AccountReadRefused, accountReadAnswer } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { NOT_DELETED, visibleTo, withSession } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'

/** Another instance takes the account over meanwhile. */
const NO_INSTANCE_RETRY_AFTER_S = 5
/** The broker counts by the second. */
const TOO_MANY_RETRY_AFTER_S = 1

const accountRow = z.object({
  active: z.boolean(),
  session_live: z.boolean(),
  instance: z.string().nullable(),
})

export async function askAccount<T>(
  call: Call,
  accountId: string,
  reading: AccountReading,
  shape: z.ZodType<T>,
): Promise<Outcome<T>> {
  const { db, commandChannel } = call.deps
  if (!mayUse(call.actor, accountId)) return refused('account_not_allowed')
  const [account] = await db.rows(
    accountRow,
    sql`select a.status = 'active' as active,
        coalesce(s.status = 'active' and s.expires_at > now(), false) as session_live,
        (select i.id from ticker.instances i
          where i.id = a.owner_instance_id and i.lease_until > now() and i.status = 'running') as instance
      from ticker.accounts a ${withSession}
      where a.id = ${accountId} and ${NOT_DELETED} and ${visibleTo(call.actor)}`,
  )
  if (!account) return refused('account_not_found')
  if (!account.active) return refused('account_disabled')
  if (!account.session_live) return refused('session_inactive')
  if (account.instance === null) return unreachable(NO_INSTANCE_RETRY_AFTER_S)
  const params = { owner: call.actor.owner, account_id: accountId, reading }
  const asking = { call: 'account_read', params } as const
  const asked = await commandChannel.ask(account.instance, asking, accountReadAnswer(shape))
  if (asked.kind !== 'answered') return unreachable(asked.retryAfterS)
  return 'refusal' in asked.result ? whyNot(asked.result) : done(asked.result.answer)
}

const unreachable = (retryAfterS: number) => refused('data_plane_unreachable', { retryAfterS })

function whyNot({ refusal, detail }: AccountReadRefused): Outcome<never> {
  const more = detail === null ? {} : { detail }
  switch (refusal) {
    case 'budget_exhausted':
      return refused('broker_rate_limited', { ...more, retryAfterS: TOO_MANY_RETRY_AFTER_S })
    case 'not_owned':
      return unreachable(NO_INSTANCE_RETRY_AFTER_S)
    case 'price_unknown':
      return refused('price_unknown', more)
    default:
      return refused(refusal, more)
  }
}
