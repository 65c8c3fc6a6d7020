// Quotes that nobody streams, asked of the broker: 500 a request, one request a second and account, of the owner's accounts
// alone. What was answered a moment ago, or is being asked already, is not asked again.
import type { FallbackRefusal } from '@ticker/shared/domain'
import {
  type Credentials,
  describeFailure,
  isDeadSession,
  isTooManyRequests,
  type KiteOutcome,
  type KiteQuote,
  quoteRequests,
} from '@ticker/shared/kite-http'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import { credentialsOf, type OwnedAccount } from '../ownership/owned-account.ts'
import type { ReadGovernor } from './governor.ts'

/** As long as the broker's own pace. */
export const FRESH_MS = 2_000
/** The question is answered within 10 s; longer than this nobody waits for a turn. */
export const TURN_WITHIN_MS = 5_000
/** Requests that one owner may have waiting: others have their own accounts, but the queue is one. */
export const REQUESTS_PER_OWNER_MAX = 10
/** A long answer is put together from several requests: the first must still be there when the last has come. */
const KEPT_MS = 10_000
const KEPT_MAX = 20_000

export interface BrokerQuote {
  /** Undefined: the broker does not know it. */
  quote: KiteQuote | undefined
  /** When it was answered, by the monotonic clock. */
  atMs: number
}

export type Refused = { refusal: FallbackRefusal; detail: string | null }

export interface BrokerQuotes {
  /** By exchange:tradingsymbol: what is known now or after asking; why not of all, if not. */
  read(
    owner: string,
    keys: readonly string[],
    /** Of the owner, whose requests may be used; absent: all. */
    accountIds?: readonly string[],
  ): Promise<{ quotes: ReadonlyMap<string, BrokerQuote>; refused: Refused | undefined }>
}

export interface BrokerQuotesDeps {
  clock: Clock
  registry: Registry
  governor: ReadGovernor
  /** Of that owner, logged in, with market data, owned here. */
  accounts(owner: string): readonly OwnedAccount[]
  fetch(
    credentials: Credentials,
    keys: readonly string[],
  ): Promise<KiteOutcome<ReadonlyMap<string, KiteQuote>>>
  onSessionDead(accountId: string, version: number, reason: string): Promise<void>
}

export function createBrokerQuotes(deps: BrokerQuotesDeps): BrokerQuotes {
  const { clock, governor } = deps
  const requests = new Counter({
    name: 'ticker_broker_quote_requests_total',
    help: 'Requests for quotes to the broker, by what came of them',
    labelNames: ['outcome'],
    registers: [deps.registry],
  })
  /** By owner and key, the oldest first: what one owner's account was told is not for another's. */
  const kept = new Map<string, BrokerQuote>()
  const asking = new Map<string, Promise<Refused | undefined>>()
  const waitingOf = new Map<string, number>()
  new Gauge({
    name: 'ticker_broker_quotes_kept',
    help: 'Quotes of the broker that are kept for a moment',
    registers: [deps.registry],
    collect() {
      this.set(kept.size)
    },
  })
  const nameOf = (owner: string, key: string) => `${owner}\n${key}`

  function freshOf(owner: string, key: string): BrokerQuote | undefined {
    const known = kept.get(nameOf(owner, key))
    return known && clock.monotonicMs() - known.atMs < FRESH_MS ? known : undefined
  }

  function keep(owner: string, key: string, quote: KiteQuote | undefined) {
    const name = nameOf(owner, key)
    kept.delete(name)
    kept.set(name, { quote, atMs: clock.monotonicMs() })
    for (const [oldest, { atMs }] of kept) {
      if (kept.size <= KEPT_MAX && clock.monotonicMs() - atMs < KEPT_MS) break
      kept.delete(oldest)
    }
  }

  async function request(
    owner: string,
    keys: readonly string[],
    accountIds?: readonly string[],
  ): Promise<Refused | undefined> {
    const account = await turn(owner, accountIds)
    if (typeof account === 'string') return { refusal: account, detail: null }
    const { accountId, session } = account
    if (!session) return { refusal: 'session_inactive', detail: null }
    const outcome = await deps.fetch(credentialsOf(account, session), keys)
    if (outcome.ok) {
      for (const key of keys) keep(owner, key, outcome.data.get(key))
      return undefined
    }
    const { failure } = outcome
    if (isTooManyRequests(failure)) {
      governor.tooMany(accountId)
      return { refusal: 'budget_exhausted', detail: describeFailure(failure) }
    }
    if (isDeadSession(failure)) {
      await deps.onSessionDead(accountId, session.version, describeFailure(failure))
      return { refusal: 'session_inactive', detail: null }
    }
    const refusal = failure.kind === 'refused' ? 'broker_refused' : 'broker_unreachable'
    return { refusal, detail: describeFailure(failure) }
  }

  /** Whose turn it is, or why nobody's. */
  async function turn(
    owner: string,
    accountIds?: readonly string[],
  ): Promise<OwnedAccount | FallbackRefusal> {
    const accounts = () =>
      deps.accounts(owner).filter((each) => !accountIds || accountIds.includes(each.accountId))
    if (accounts().length === 0) return 'session_inactive'
    const waiting = waitingOf.get(owner) ?? 0
    if (waiting >= REQUESTS_PER_OWNER_MAX) return 'budget_exhausted'
    waitingOf.set(owner, waiting + 1)
    const late = new AbortController()
    const cancel = clock.after(TURN_WITHIN_MS, () => late.abort())
    const accountId = await governor.take(
      () => accounts().map((account) => account.accountId),
      'user',
      late.signal,
    )
    cancel()
    const left = (waitingOf.get(owner) ?? 1) - 1
    if (left > 0) waitingOf.set(owner, left)
    else waitingOf.delete(owner)
    const account = accounts().find((each) => each.accountId === accountId)
    return account ?? (accounts().length === 0 ? 'session_inactive' : 'budget_exhausted')
  }

  async function ask(
    owner: string,
    keys: readonly string[],
    accountIds?: readonly string[],
  ): Promise<Refused | undefined> {
    const outcome = request(owner, keys, accountIds).catch(
      (): Refused => ({ refusal: 'broker_unreachable', detail: null }),
    )
    for (const key of keys) asking.set(nameOf(owner, key), outcome)
    const refused = await outcome
    for (const key of keys) asking.delete(nameOf(owner, key))
    requests.inc({ outcome: refused?.refusal ?? 'answered' })
    return refused
  }

  return {
    async read(owner, keys, accountIds) {
      const missing = keys.filter((key) => !freshOf(owner, key))
      const pending = new Set(missing.flatMap((key) => asking.get(nameOf(owner, key)) ?? []))
      const unasked = missing.filter((key) => !asking.has(nameOf(owner, key)))
      const asked = quoteRequests(unasked).map((each) => ask(owner, each, accountIds))
      const refusals = await Promise.all([...pending, ...asked])
      const quotes = new Map<string, BrokerQuote>()
      for (const key of keys) {
        const known = kept.get(nameOf(owner, key))
        // One that was asked for in vain now may still be there, of long ago.
        if (known && clock.monotonicMs() - known.atMs < KEPT_MS) quotes.set(key, known)
      }
      return { quotes, refused: refusals.find((each) => each !== undefined) }
    },
  }
}
