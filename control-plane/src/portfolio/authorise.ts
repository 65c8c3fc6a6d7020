// A request to have the sale of holdings authorised, and the broker's page on which the account holder grants it (KITE.md 5.5).
import {
  authorisationRequest,
  type HoldingsAuthorisation,
  type HoldingToAuthorise,
} from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { visibleTo } from '../accounts/rows.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { askAccount } from './ask-account.ts'

/** Nothing is authorised by it, so asking again does no harm: each request is granted by a person, or by nobody. */
export async function authoriseHoldings(
  call: Call,
  accountId: string,
  holdings: readonly HoldingToAuthorise[] | undefined,
): Promise<Outcome<HoldingsAuthorisation>> {
  const reading = { read: 'authorisation' as const, ...(holdings ? { holdings: [...holdings] } : {}) }
  const answered = await askAccount(call, accountId, reading, authorisationRequest)
  if (!answered.ok) return answered
  const { config, db } = call.deps
  const [account] = await db.rows(
    z.object({ api_key: z.string() }),
    sql`select a.api_key from ticker.accounts a where a.id = ${accountId} and ${visibleTo(call.actor)}`,
  )
  if (!account) return refused('account_not_found')
  // The page is beside the login.
  const root = answered.value.paper ? config.paper?.loginRoot : config.kiteLoginRoot
  if (root === undefined) return refused('paper_not_configured')
  const ids = [account.api_key, answered.value.request_id].map(encodeURIComponent)
  const url = new URL(`/connect/portfolio/authorise/holdings/${ids.join('/')}`, root)
  return done({ ...answered.value, url: url.href })
}
