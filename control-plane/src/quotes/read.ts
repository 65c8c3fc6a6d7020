import { type Quotes, quotes, type quotesQuery } from '@ticker/shared/domain'
import type { z } from 'zod'
import { askOwnersInstance } from '../command-channel/ask-owner.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome } from '../http/problem.ts'
import type { RecentAnswers } from './recent-answers.ts'

export async function readQuotes(
  call: Call,
  query: z.output<typeof quotesQuery>,
  recent: RecentAnswers<Quotes>,
): Promise<Outcome<Quotes>> {
  const { owner, account_ids } = call.actor
  const limited = query.fallback && account_ids ? { account_ids: [...account_ids] } : {}
  const params = { owner, ...query, ...limited }
  const key = JSON.stringify(params)
  const known = recent.get(key)
  if (known) return done(known)
  const asked = await askOwnersInstance(call, { call: 'quotes', params }, quotes)
  if (asked.ok) recent.put(key, asked.value)
  return asked
}
