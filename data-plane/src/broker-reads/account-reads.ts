// Reads of one account that only the broker can answer: in their turn within its limit, with its own session, and with the exact
// reason when there is no answer. Orders never wait for them: what the order path reads is only counted here.
import type { AccountReadRefused } from '@ticker/shared/domain'
import {
  type Credentials,
  describeFailure,
  isDeadSession,
  isTooManyRequests,
  type KiteFailure,
  type KiteOutcome,
} from '@ticker/shared/kite-http'
import { Counter, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import { credentialsOf, type OwnedAccount } from '../ownership/owned-account.ts'
import type { ReadGovernor } from './governor.ts'

/** Of the broker's 10 a second (KITE.md 2.2); the rest is the order path's alone. */
export const ACCOUNT_READS_PER_SECOND_MAX = 6
/** With the 7 s that the broker has to answer, within the question's 10 s. */
export const TURN_WITHIN_MS = 2_500
/** As many as have their turn by then; an account's flood fills nobody else's queue. */
export const WAITING_PER_ACCOUNT_MAX = 12

export type AccountOutcome<T> = { ok: true; data: T } | { ok: false; refused: AccountReadRefused }

export interface AccountReads {
  read<T>(
    account: { owner: string; account_id: string },
    /** Of the metrics. */
    name: string,
    ask: (credentials: Credentials) => Promise<KiteOutcome<T>>,
  ): Promise<AccountOutcome<T>>
}

export interface AccountReadsDeps {
  clock: Clock
  registry: Registry
  governor: ReadGovernor
  /** Owned here and not disabled; logged in or not. */
  account(accountId: string): OwnedAccount | undefined
  onSessionDead(accountId: string, version: number, reason: string): Promise<void>
}

export function createAccountReads(deps: AccountReadsDeps): AccountReads {
  const { clock, governor } = deps
  const requests = new Counter({
    name: 'ticker_account_requests_total',
    help: 'Requests to the broker for what it knows of an account, by what came of them',
    labelNames: ['read', 'outcome'],
    registers: [deps.registry],
  })
  const waitingOf = new Map<string, number>()

  /** Whether its turn has come in time. */
  async function turn(accountId: string): Promise<boolean> {
    const waiting = waitingOf.get(accountId) ?? 0
    if (waiting >= WAITING_PER_ACCOUNT_MAX) return false
    waitingOf.set(accountId, waiting + 1)
    const late = new AbortController()
    const cancel = clock.after(TURN_WITHIN_MS, () => late.abort())
    const granted = await governor.take(() => [accountId], 'user', late.signal)
    cancel()
    const left = (waitingOf.get(accountId) ?? 1) - 1
    if (left > 0) waitingOf.set(accountId, left)
    else waitingOf.delete(accountId)
    return granted !== undefined
  }

  async function refusalOf(
    failure: KiteFailure,
    accountId: string,
    version: number,
  ): Promise<AccountReadRefused> {
    const detail = describeFailure(failure)
    if (isTooManyRequests(failure)) {
      governor.tooMany(accountId)
      return { refusal: 'budget_exhausted', detail }
    }
    if (isDeadSession(failure)) {
      await deps.onSessionDead(accountId, version, detail)
      return { refusal: 'session_inactive', detail: null }
    }
    return { refusal: failure.kind === 'refused' ? 'broker_refused' : 'broker_unreachable', detail }
  }

  async function answerTo<T>(
    { owner, account_id }: { owner: string; account_id: string },
    ask: (credentials: Credentials) => Promise<KiteOutcome<T>>,
  ): Promise<AccountOutcome<T>> {
    const refused = (refusal: AccountReadRefused['refusal']) =>
      ({ ok: false, refused: { refusal, detail: null } }) as const
    const owned = () => {
      const account = deps.account(account_id)
      return account?.owner === owner ? account : undefined
    }
    if (!owned()) return refused('not_owned')
    if (!owned()?.session) return refused('session_inactive')
    if (!(await turn(account_id))) return refused('budget_exhausted')
    // It may have logged out, or have gone to another instance, while it waited.
    const account = owned()
    if (!account) return refused('not_owned')
    const { session } = account
    if (!session) return refused('session_inactive')
    const outcome = await ask(credentialsOf(account, session))
    if (outcome.ok) return outcome
    return { ok: false, refused: await refusalOf(outcome.failure, account_id, session.version) }
  }

  return {
    async read(account, name, ask) {
      const outcome = await answerTo(account, ask)
      requests.inc({ read: name, outcome: outcome.ok ? 'answered' : outcome.refused.refusal })
      return outcome
    },
  }
}
