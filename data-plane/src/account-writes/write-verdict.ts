// What an answer to such a write means. The money rule of orders (verdict.ts): REJECTED only for what is listed, everything else
// is in doubt and settled by reading.
import type { WriteKind } from '@ticker/shared/domain'
import { describeFailure, triggerIdOf } from '@ticker/shared/kite-http'
import { queuedAgain, type SendOutcome, type Verdict, verdictOf } from '../orders/verdict.ts'
import type { WriteSettlement } from './write-store.ts'

/** Ahead of any effect. Sources: KITE.md 5.5; the texts of its web and of the simulator. */
const REFUSALS: { status: number; text: RegExp }[] = [
  {
    status: 400,
    text: /^trigger (?:cannot|price|already)|maximum allowed gtts?|cannot be converted|only limit|insufficient|not allowed/i,
  },
  { status: 404, text: /couldn't find that `?trigger_id/i },
]

export function writeVerdictOf(kind: WriteKind, sent: SendOutcome): Verdict {
  if (sent.kind === 'answered') {
    const { outcome } = sent
    if (outcome.ok) {
      if (kind === 'convert') return outcome.data === true ? { state: 'ACCEPTED', orderIds: [] } : UNREADABLE
      const id = triggerIdOf(outcome.data)
      return id === undefined ? UNREADABLE : { state: 'ACCEPTED', orderIds: [id] }
    }
    const { failure } = outcome
    if (failure.kind === 'refused') {
      const { status, message } = failure
      if (REFUSALS.some((listed) => listed.status === status && listed.text.test(message)))
        return { state: 'REJECTED', code: 'broker_rejected', reason: message || describeFailure(failure) }
    }
  }
  return verdictOf(sent)
}

const UNREADABLE: Verdict = {
  ...{ state: 'UNKNOWN', code: 'outcome_unknown' },
  reason: 'the broker said success, and nothing of it that can be read',
}

export function writeSettlementOf(verdict: Verdict): WriteSettlement {
  switch (verdict.state) {
    case 'ACCEPTED':
      return { state: 'ACCEPTED', triggerId: verdict.orderIds[0] ?? null }
    case 'QUEUED':
    case 'QUEUED_SESSION_DEAD':
      return queuedAgain(verdict)
    case 'UNKNOWN':
      return { state: 'UNKNOWN', code: verdict.code, reason: verdict.reason }
    default:
      return { state: 'REJECTED', code: verdict.code, reason: verdict.reason }
  }
}
