// What of an account belongs to one account alone, in words for whoever wants it too.
import { violatedUnique } from '../database.ts'
import { type Outcome, refused } from '../http/problem.ts'

const TAKEN: Record<string, string> = {
  accounts_pkey: 'The id is taken, maybe by a deleted account whose orders are kept.',
  accounts_broker_user: 'Another account has this broker_user_id.',
  accounts_api_key: 'Another account has this api_key.',
}

/** The refusal, if the statement failed for that; anything else is thrown again. */
export function takenOr(error: unknown): Outcome<never> {
  const constraint = violatedUnique(error)
  if (constraint === undefined) throw error
  return refused('account_exists', { detail: TAKEN[constraint] ?? 'Something of it is taken.' })
}
