// Sends one intent: connect, claim, check, write once, store the verdict (RELIABILITY 2–4). Concurrent per intent;
// the decision to send is the caller's, one at a time.
import type { ClockReading } from '../ownership/lease-clock.ts'
import type { BrokerSession } from '../ownership/owned-account.ts'
import type { AccountOrdersDeps, OrderAccount } from './deps.ts'
import type { Token } from './governor.ts'
import type { Claim, Intent, Settlement } from './intent-store.ts'
import { orderForm } from './order-form.ts'
import type { OrderLine } from './order-line.ts'
import { FIRST_READ_MS } from './unknown-schedule.ts'
import { type Verdict, verdictOf } from './verdict.ts'

/** Between asking for the claim's commit and the write; a longer pause means this process may have been frozen. */
const COMMIT_TO_WRITE_MS_MAX = 2_000
const RETRY_CONNECT_MS = 1_000
const RETRY_STORE_MS = 500
const CLAIM_REFUSED_PAUSE_MS = 500
/** Two days of an account's orders. */
const WRITTEN_MAX = 10_000

export interface Sending {
  start(intent: Intent, account: OrderAccount, token: Token): void
  isBusy(intentId: string): boolean
  /** The claim under which this process wrote the intent to the broker and was not told that it was not placed. */
  writtenAs(intentId: string): Claim | undefined
  count(): number
  /** Waits until everything in flight has a stored verdict, at most deadlineMs. */
  drained(deadlineMs: number): Promise<void>
}

export function createSending(deps: AccountOrdersDeps, onSettled: (accepted: boolean) => void): Sending {
  const { clock, log, metrics, intents, lease } = deps
  const inFlight = new Map<string, Promise<void>>()
  /** What the database says of these can be wrong (it may lose commits); that they were written cannot. */
  const written = new Map<string, Claim>()

  /** True: the broker has taken it. */
  async function send(intent: Intent, account: OrderAccount, token: Token): Promise<boolean> {
    const session = account.session
    if (!session) {
      token.giveBack()
      return false
    }
    const opened = await deps.connect()
    if (!opened.ok) {
      token.giveBack()
      log.warn(
        { intent_id: intent.id, reason: opened.reason },
        'broker not reachable; the order stays queued',
      )
      await clock.sleep(RETRY_CONNECT_MS)
      return false
    }
    const asked = lease.read()
    const claim = await claimOnce(intent, account, session.version)
    if (!claim) {
      // Halted, expired, or another login or owner: the next pass sees why.
      opened.line.discard()
      token.giveBack()
      await clock.sleep(CLAIM_REFUSED_PAUSE_MS)
      return false
    }
    remember(intent.id, claim)
    const verdict = await writeOnce(intent, account, session, opened.line, asked, token)
    if (verdict.state === 'QUEUED' || verdict.state === 'QUEUED_SESSION_DEAD') written.delete(intent.id)
    metrics.intents.inc({ verdict: verdict.state })
    log.info({ intent_id: intent.id, verdict: verdict.state, attempt: claim.attempt }, 'order answered')
    // Before the verdict is stored: once the intent is QUEUED again it may be sent again.
    await closeWhatIsDead(verdict, session.version)
    await storeVerdict(claim, verdict)
    return verdict.state === 'ACCEPTED'
  }

  function remember(intentId: string, claim: Claim) {
    written.set(intentId, claim)
    const [oldest] = written.keys()
    if (written.size > WRITTEN_MAX && oldest !== undefined) written.delete(oldest)
  }

  async function writeOnce(
    intent: Intent,
    account: OrderAccount,
    session: BrokerSession,
    line: OrderLine,
    asked: ClockReading,
    token: Token,
  ): Promise<Verdict> {
    const mayWrite = () => {
      const now = lease.read()
      const paused =
        now.monotonicMs - asked.monotonicMs >= COMMIT_TO_WRITE_MS_MAX ||
        Math.abs(now.wallMs - asked.wallMs) >= COMMIT_TO_WRITE_MS_MAX
      return lease.mayAct() && now.generation === asked.generation && !paused && token.mayWrite()
    }
    metrics.queuedSeconds.observe(Math.max(0, clock.nowMs() - intent.createdMs) / 1000)
    const startedMs = clock.monotonicMs()
    const credentials = { api_key: account.apiKey, access_token: session.accessToken }
    try {
      const form = orderForm(intent.request, intent.tag)
      const sent = await line.post(`/orders/${intent.request.variety}`, credentials, form, mayWrite)
      metrics.brokerPostSeconds.observe((clock.monotonicMs() - startedMs) / 1000)
      if (sent.kind === 'not_sent') token.giveBack()
      return verdictOf(sent)
    } catch (error) {
      // A bug of ours, with the request perhaps on its way: in doubt like any other lost answer.
      log.error({ intent_id: intent.id, error }, 'sending failed')
      return { state: 'UNKNOWN', code: 'outcome_unknown', reason: 'an error of our own while sending' }
    }
  }

  /** A commit that was not confirmed counts as none: nothing is sent, and the path's sweep frees the row. */
  async function claimOnce(
    intent: Intent,
    account: OrderAccount,
    sessionVersion: number,
  ): Promise<Claim | undefined> {
    const sender = {
      accountId: deps.accountId,
      instanceId: deps.instanceId,
      epoch: account.epoch,
      sessionVersion,
    }
    try {
      return await intents.claim(intent.id, sender)
    } catch (error) {
      log.warn({ intent_id: intent.id, error }, 'claim not confirmed; nothing sent')
      return undefined
    }
  }

  async function storeVerdict(claim: Claim, verdict: Verdict) {
    const stored = await untilStored(() => intents.settle(claim, settlementOf(verdict)))
    if (!stored)
      log.info(
        { intent_id: claim.intentId, verdict: verdict.state },
        'verdict came after the intent had moved on',
      )
  }

  async function closeWhatIsDead(verdict: Verdict, sessionVersion: number) {
    if (verdict.state === 'QUEUED_SESSION_DEAD') {
      await untilStored(() => deps.onSessionDead(deps.accountId, sessionVersion, verdict.reason))
    }
    if (verdict.state === 'REJECTED_AND_GATE') {
      log.error({ reason: verdict.reason }, 'order gate closed by the broker')
      await untilStored(() => intents.closeGate(deps.accountId, verdict.reason))
    }
  }

  /** The verdict of a sent order must not be lost to a database that is away for a while. */
  async function untilStored<T>(store: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await store()
      } catch (error) {
        log.error({ error }, 'order outcome not stored yet')
        await clock.sleep(RETRY_STORE_MS)
      }
    }
  }

  return {
    isBusy: (intentId) => inFlight.has(intentId),
    writtenAs: (intentId) => written.get(intentId),
    count: () => inFlight.size,
    start(intent, account, token) {
      const sending = send(intent, account, token)
        .catch((error: unknown) => {
          log.error({ intent_id: intent.id, error }, 'order not handled')
          return false
        })
        .then((accepted) => {
          inFlight.delete(intent.id)
          metrics.inFlight.dec()
          onSettled(accepted)
        })
      inFlight.set(intent.id, sending)
      metrics.inFlight.inc()
    },
    async drained(deadlineMs) {
      await Promise.race([Promise.all(inFlight.values()), clock.sleep(deadlineMs)])
    },
  }
}

const RATE_LIMITED_RETRY_MS = 1_100

function settlementOf(verdict: Verdict): Settlement {
  switch (verdict.state) {
    case 'ACCEPTED':
      return verdict
    case 'QUEUED':
      return {
        state: 'QUEUED',
        reason: verdict.reason,
        retryAfterMs: verdict.why === 'rate_limited' ? RATE_LIMITED_RETRY_MS : 0,
      }
    case 'QUEUED_SESSION_DEAD':
      return { state: 'QUEUED', reason: verdict.reason, retryAfterMs: 0 }
    case 'UNKNOWN':
      return { ...verdict, firstReadMs: FIRST_READ_MS }
    case 'REJECTED_AND_GATE':
      return { state: 'REJECTED', code: verdict.code, reason: verdict.reason }
    default:
      return verdict
  }
}
