// Sends one request of the order path: connect, claim, check, write once, store the verdict (RELIABILITY 2–4).
// Concurrent per intent; the decision to send is the caller's, one at a time.

import type { WriteKind } from '@ticker/shared/domain'
import type { ClockReading } from '../ownership/lease-clock.ts'
import { type BrokerSession, credentialsOf } from '../ownership/owned-account.ts'
import type { AccountOrdersDeps, OrderAccount } from './deps.ts'
import type { Token } from './governor.ts'
import type { Claim, Sender } from './intent-store.ts'
import type { OrderLine, OrderRequest } from './order-line.ts'
import type { SendOutcome, Verdict } from './verdict.ts'

/** Between asking for the claim's commit and the write; a longer pause means this process may have been frozen. */
const COMMIT_TO_WRITE_MS_MAX = 2_000
const RETRY_CONNECT_MS = 1_000
const RETRY_STORE_MS = 500
const CLAIM_REFUSED_PAUSE_MS = 500
/** Two days of an account's orders. */
const WRITTEN_MAX = 10_000

export type SendKind = 'place' | 'modify' | 'cancel' | WriteKind
/** A halt lets through what only takes away. */
const TAKES_AWAY: readonly SendKind[] = ['cancel', 'gtt_delete']

export type SendingDeps = Pick<
  AccountOrdersDeps,
  | ('accountId' | 'instanceId' | 'clock' | 'log' | 'metrics' | 'lease')
  | ('isHalted' | 'connect' | 'onSessionDead')
> & { intents: Pick<AccountOrdersDeps['intents'], 'closeGate'> }

/** One intent on its way: what to write, and where its claim and its verdict are stored. */
export interface Outgoing {
  kind: SendKind
  /** Of the intent. */
  id: string
  createdMs: number
  request: OrderRequest
  claim(sender: Sender): Promise<Claim | undefined>
  verdictOf(sent: SendOutcome): Verdict
  /** False: the intent had moved on. */
  store(claim: Claim, verdict: Verdict): Promise<boolean>
  /** Its verdict is stored; undefined: nothing was written. */
  settled?(verdict: Verdict | undefined): void
}

export interface Sending {
  start(outgoing: Outgoing, account: OrderAccount, token: Token): void
  isBusy(intentId: string): boolean
  /** The claim under which this process wrote the intent to the broker and was not told that it was not taken. */
  writtenAs(intentId: string): Claim | undefined
  count(kind: SendKind): number
  /** The intents of places on their way. */
  placesInFlight(): string[]
  /** Waits until everything in flight has a stored verdict, at most deadlineMs. */
  drained(deadlineMs: number): Promise<void>
}

export function createSending(
  deps: SendingDeps,
  /** The broker's book was read since the database was last away: until then rows, and claims, may have been lost. */
  isRecovered: (account: OrderAccount) => boolean,
  onSettled: (accepted: boolean) => void,
): Sending {
  const { clock, log, metrics, intents, lease } = deps
  const inFlight = new Map<string, { kind: SendKind; ended: Promise<void> }>()
  /** What the database says of these can be wrong (it may lose commits); that they were written cannot. */
  const written = new Map<string, Claim>()

  async function send(outgoing: Outgoing, account: OrderAccount, token: Token): Promise<Verdict | undefined> {
    const session = account.session
    if (!session) {
      token.giveBack()
      return undefined
    }
    const opened = await deps.connect(session.root)
    if (!opened.ok) {
      token.giveBack()
      log.warn({ intent_id: outgoing.id, reason: opened.reason }, 'broker not reachable; nothing sent')
      await clock.sleep(RETRY_CONNECT_MS)
      return undefined
    }
    const asked = lease.read()
    const claim = await claimOnce(outgoing, account, session.version)
    if (!claim) {
      // Halted, expired, cancelled, or another login or owner: the next pass sees why.
      opened.line.discard()
      token.giveBack()
      await clock.sleep(CLAIM_REFUSED_PAUSE_MS)
      return undefined
    }
    remember(outgoing.id, claim)
    const verdict = await writeOnce(outgoing, account, session, opened.line, asked, token)
    if (verdict.state === 'QUEUED' || verdict.state === 'QUEUED_SESSION_DEAD') written.delete(outgoing.id)
    metrics.verdicts.inc({ kind: outgoing.kind, verdict: verdict.state })
    log.info(
      { intent_id: outgoing.id, kind: outgoing.kind, verdict: verdict.state, attempt: claim.attempt },
      'order request answered',
    )
    // Before the verdict is stored: once the intent is QUEUED again it may be sent again.
    await closeWhatIsDead(verdict, session.version)
    const stored = await untilStored(() => outgoing.store(claim, verdict))
    if (!stored)
      log.info(
        { intent_id: claim.intentId, verdict: verdict.state },
        'verdict came after the intent had moved on',
      )
    return verdict
  }

  function remember(intentId: string, claim: Claim) {
    written.set(intentId, claim)
    const [oldest] = written.keys()
    if (written.size > WRITTEN_MAX && oldest !== undefined) written.delete(oldest)
  }

  async function writeOnce(
    { id, kind, createdMs, request, verdictOf }: Outgoing,
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
      return (
        isRecovered(account) &&
        lease.mayAct() &&
        (TAKES_AWAY.includes(kind) || !deps.isHalted()) &&
        now.generation === asked.generation &&
        !paused &&
        token.mayWrite()
      )
    }
    metrics.queuedSeconds.observe({ kind }, Math.max(0, clock.nowMs() - createdMs) / 1000)
    const startedMs = clock.monotonicMs()
    const credentials = credentialsOf(account, session)
    try {
      const sent = await line.send(request, credentials, mayWrite)
      metrics.brokerWriteSeconds.observe({ kind }, (clock.monotonicMs() - startedMs) / 1000)
      if (sent.kind === 'not_sent') token.giveBack()
      return verdictOf(sent)
    } catch (error) {
      // A bug of ours, with the request perhaps on its way: in doubt like any other lost answer.
      log.error({ intent_id: id, error }, 'sending failed')
      return { state: 'UNKNOWN', code: 'outcome_unknown', reason: 'an error of our own while sending' }
    }
  }

  /** A commit that was not confirmed counts as none: nothing is sent, and the path's sweep frees the row. */
  async function claimOnce(
    outgoing: Outgoing,
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
      return await outgoing.claim(sender)
    } catch (error) {
      log.warn({ intent_id: outgoing.id, error }, 'claim not confirmed; nothing sent')
      return undefined
    }
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
    count: (kind) => [...inFlight.values()].filter((each) => each.kind === kind).length,
    placesInFlight: () => [...inFlight].flatMap(([id, { kind }]) => (kind === 'place' ? [id] : [])),
    start(outgoing, account, token) {
      const ended = send(outgoing, account, token)
        .catch((error: unknown) => {
          log.error({ intent_id: outgoing.id, error }, 'order request not handled')
          return undefined
        })
        .then((verdict) => {
          inFlight.delete(outgoing.id)
          metrics.inFlight.dec()
          outgoing.settled?.(verdict)
          onSettled(verdict?.state === 'ACCEPTED')
        })
      inFlight.set(outgoing.id, { kind: outgoing.kind, ended })
      metrics.inFlight.inc()
    },
    async drained(deadlineMs) {
      const ends = [...inFlight.values()].map(({ ended }) => ended)
      await Promise.race([Promise.all(ends), clock.sleep(deadlineMs)])
    },
  }
}
