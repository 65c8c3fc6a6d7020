// What an answer to a cancel or a modify means. The same money rule as for orders (verdict.ts): REJECTED only for what
// is listed, everything else is in doubt and settled by reading the order. A refusal leaves the order as it was.
import { describeFailure } from '@ticker/shared/kite-http'
import { type SendOutcome, type Verdict, verdictOf } from './verdict.ts'

/**
 * The broker names the state that it refuses for, and some of these states have words that sound like doubt
 * ("MODIFY PENDING"). Sources: KITE.md 5.1; the texts of its web and of the simulator.
 */
const REFUSED_IN_STATE = /^order cannot be (?:modified|cancell?ed)\b/i
const REFUSALS: { status: number; errorType: string; text: RegExp }[] = [
  {
    status: 400,
    errorType: 'OrderException',
    text: /maximum allowed order modifications|quantity cannot be less|already (?:been )?(?:cancell?ed|complete|executed|rejected)/i,
  },
  { status: 400, errorType: 'InputException', text: /invalid `?order_id|quantity cannot be less/i },
  { status: 404, errorType: 'GeneralException', text: /couldn't find that `?order_id/i },
]

export function changeVerdictOf(sent: SendOutcome): Verdict {
  if (sent.kind === 'answered' && !sent.outcome.ok && sent.outcome.failure.kind === 'refused') {
    const { status, error_type: errorType, message } = sent.outcome.failure
    const inState =
      status === 400 &&
      (errorType === 'OrderException' || errorType === 'InputException') &&
      REFUSED_IN_STATE.test(message)
    const listed = REFUSALS.some(
      (refusal) => refusal.status === status && refusal.errorType === errorType && refusal.text.test(message),
    )
    if (inState || listed)
      return {
        state: 'REJECTED',
        code: 'broker_rejected',
        reason: message || describeFailure(sent.outcome.failure),
      }
  }
  const verdict = verdictOf(sent)
  // Nothing was changed; and there is nothing that would be sent after an authorisation.
  return verdict.state === 'NEEDS_AUTHORISATION'
    ? { state: 'REJECTED', code: 'broker_rejected', reason: verdict.reason }
    : verdict
}
