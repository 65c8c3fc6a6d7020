// One request for candles, by whichever account of the owner may be asked next, until it is answered or cannot be.
import { BROKER_INTERVALS } from '@ticker/shared/domain'
import {
  describeFailure,
  getHistory,
  type HistoryDays,
  isDeadSession,
  isTooManyRequests,
  type KiteFailure,
  type KiteHttp,
} from '@ticker/shared/kite-http'
import type { ReadGovernor, ReadPriority } from '../broker-reads/governor.ts'
import type { Clock } from '../clock.ts'
import { credentialsOf, type OwnedAccount } from '../ownership/owned-account.ts'
import type { DayRange } from './chunk-plan.ts'
import type { LoadFailure } from './load-store.ts'
import type { Series } from './series-store.ts'

export type Candles =
  | { ok: true; days: HistoryDays; askedAtMs: number }
  | { ok: false; failure: LoadFailure }
  /** Nobody waits for it any more, or this instance cannot ask. */
  | { ok: false; failure: undefined }

export interface FetchDeps {
  clock: Clock
  kite: KiteHttp
  governor: ReadGovernor
  onSessionDead(accountId: string, version: number, reason: string): Promise<void>
}

export interface Asked extends DayRange {
  series: Series
  /** Those that may be asked now. */
  accounts(): readonly OwnedAccount[]
  priority: ReadPriority
  /** Each request is counted, answered or not. */
  onCall(): void
}

/** Answers that may be others in a moment. */
const TRIES_MAX = 5
const PAUSE_MS = 500

export async function fetchCandles(deps: FetchDeps, asked: Asked, signal: AbortSignal): Promise<Candles> {
  const { clock, governor } = deps
  const { series } = asked
  /** Accounts that the broker refused this, by session. */
  const refused = new Set<string>()
  let words: string | undefined
  const keyOf = ({ accountId, session }: OwnedAccount) => `${accountId}/${session?.version}`
  const usable = () => asked.accounts().filter((account) => account.session && !refused.has(keyOf(account)))

  for (let tries = 1; ; ) {
    const accountId = await governor.take(
      () => usable().map((each) => each.accountId),
      asked.priority,
      signal,
    )
    const account = usable().find((each) => each.accountId === accountId)
    if (!account?.session) {
      if (accountId !== undefined) continue
      // Refused by all, and not merely stopped while another one's turn was awaited.
      const failure =
        words !== undefined && !signal.aborted && usable().length === 0
          ? ({ code: 'broker_refused', detail: words } as const)
          : undefined
      return { ok: false, failure }
    }
    const { version } = account.session
    const askedAtMs = clock.nowMs()
    asked.onCall()
    const outcome = await getHistory(
      deps.kite,
      credentialsOf(account, account.session),
      {
        instrument_token: series.instrument_token,
        interval: BROKER_INTERVALS[series.interval].brokerName,
        fromDay: asked.fromDay,
        toDay: asked.toDay,
        continuous: series.continuous,
      },
      signal,
    )
    if (outcome.ok) return { ok: true, days: outcome.data, askedAtMs }
    if (signal.aborted) return { ok: false, failure: undefined }
    const { failure } = outcome
    if (isDeadSession(failure)) {
      refused.add(keyOf(account))
      await deps.onSessionDead(account.accountId, version, describeFailure(failure))
    } else if (isOfAccount(failure)) {
      refused.add(keyOf(account))
      words = describeFailure(failure)
    } else if (isTooManyRequests(failure) && tries < TRIES_MAX) {
      tries += 1
      governor.tooMany(account.accountId)
    } else if (isPassing(failure) && tries < TRIES_MAX) {
      await clock.sleep(PAUSE_MS * 2 ** (tries - 1), signal)
      tries += 1
    } else {
      const code = isPassing(failure) ? 'broker_unreachable' : 'broker_refused'
      return { ok: false, failure: { code, detail: describeFailure(failure) } }
    }
  }
}

/** What another account may be allowed: an app without history says so of itself. */
const isOfAccount = (failure: KiteFailure) =>
  failure.kind === 'refused' && failure.error_type === 'PermissionException'
/** Trouble at the broker, not a word on what was asked. */
const isPassing = (failure: KiteFailure) =>
  failure.kind !== 'refused' || failure.status >= 500 || failure.error_type === 'NetworkException'
