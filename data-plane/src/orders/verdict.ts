// What an answer to POST /orders means (RELIABILITY 4). A money rule: REJECTED only for what is listed here, because
// a synchronous refusal never has a book row; everything that is not listed is UNKNOWN and settled by reading.
import { describeFailure, type KiteOutcome, placedOrderIds } from '@ticker/shared/kite-http'

export type SendOutcome =
  /** No byte was written: the broker cannot have seen it. */
  | { kind: 'not_sent'; reason: string }
  | { kind: 'answered'; outcome: KiteOutcome<unknown> }
  /** Written, and no complete answer came back. */
  | { kind: 'no_answer'; reason: 'timeout' | 'reset' | 'too_large' }

export type Verdict =
  | { state: 'ACCEPTED'; orderIds: string[] }
  | { state: 'REJECTED'; code: 'broker_rejected'; reason: string }
  /** As rejected; and no order of this account would fare better until a person has acted. */
  | { state: 'REJECTED_AND_GATE'; code: 'broker_forbidden'; reason: string }
  | { state: 'NEEDS_AUTHORISATION'; code: 'authorisation_needed'; reason: string }
  | { state: 'UNKNOWN'; code: 'outcome_unknown'; reason: string }
  /** Certainly not placed; may be sent again. */
  | { state: 'QUEUED'; why: 'not_sent' | 'rate_limited'; reason: string }
  | { state: 'QUEUED_SESSION_DEAD'; reason: string }

/** The broker counts in calendar seconds. */
const RATE_LIMITED_RETRY_MS = 1_100

/** What a verdict of `may be sent again` makes of an intent. */
export function queuedAgain(verdict: Extract<Verdict, { state: 'QUEUED' | 'QUEUED_SESSION_DEAD' }>) {
  const isLimited = verdict.state === 'QUEUED' && verdict.why === 'rate_limited'
  return {
    state: 'QUEUED' as const,
    reason: verdict.reason,
    retryAfterMs: isLimited ? RATE_LIMITED_RETRY_MS : 0,
  }
}

/** A refusal can be a timeout in disguise, after which the order fills (KITE.md 5.4): the text outranks the status. */
const DOUBTFUL =
  /tim(?:ed|e) ?-?out|check (?:the |your )?order ?book(?! for open orders)|verify|status unknown|unable to (?:confirm|determine)|may have been|pending/i

/** (status, error_type, text) that the broker gives before an order exists. Sources: SIMULATOR-FIDELITY, KITE.md 5. */
const REFUSALS: { status: number; errorType: string; text: RegExp }[] = [
  // The API's own parameter check, ahead of the order system.
  {
    status: 400,
    errorType: 'InputException',
    text: /invalid|missing|required|must|should|cannot|not allowed|not exist|expired|multiple|exceed|maximum|minimum/i,
  },
  { status: 400, errorType: 'MarginException', text: /insufficient|margin/i },
  { status: 400, errorType: 'HoldingException', text: /insufficient|holding|quantity/i },
  {
    status: 400,
    errorType: 'UserException',
    text: /not (?:enabled|allowed|active|permitted)|blocked|disabled/i,
  },
  {
    status: 400,
    errorType: 'OrderException',
    text: /tick size for this script|trigger price for stoploss|circuit limit|either expired or does not exist|market orders without market protection|freeze|ban period|is blocked|multiple of (?:the )?lot|insufficient funds|after market order|markets? (?:is|are) closed/i,
  },
]

/** The account or its address may not trade: no other order would fare better (KITE.md 7; the exact text is unknown). */
const FORBIDDEN =
  /\bip\b|ip address|static ip|whitelist|not allowed for the authenticated user|not enabled|not permitted/i

/** What the person has to do: an authorisation holds for one session, to 17:30 (KITE.md 5). */
const AUTHORISE =
  '(The order was not placed. Authorise the sale of these holdings with CDSL at the broker, https://kite.zerodha.com/holdings, ' +
  'today before 17:30 IST, then place it again under a new Idempotency-Key.)'

export function verdictOf(sent: SendOutcome): Verdict {
  switch (sent.kind) {
    case 'not_sent':
      return { state: 'QUEUED', why: 'not_sent', reason: sent.reason }
    case 'no_answer':
      return unknown(`no complete answer (${sent.reason})`)
    case 'answered':
      return sent.outcome.ok ? accepted(sent.outcome.data) : refused(sent.outcome)
  }
}

function accepted(data: unknown): Verdict {
  const orderIds = placedOrderIds(data)
  return orderIds ? { state: 'ACCEPTED', orderIds } : unknown('the broker said success without an order id')
}

function refused({ failure }: Extract<KiteOutcome<unknown>, { ok: false }>): Verdict {
  const reason = describeFailure(failure)
  if (failure.kind !== 'refused') return unknown(reason)
  const { status, error_type: errorType, message } = failure
  if (status === 403 && errorType === 'TokenException') return { state: 'QUEUED_SESSION_DEAD', reason }
  if (DOUBTFUL.test(message)) return unknown(reason)
  if (status === 429) return { state: 'QUEUED', why: 'rate_limited', reason }
  if (status === 403 && (errorType === 'PermissionException' || FORBIDDEN.test(message))) {
    return { state: 'REJECTED_AND_GATE', code: 'broker_forbidden', reason: message || reason }
  }
  if (status === 428) {
    const words = message || reason
    return { state: 'NEEDS_AUTHORISATION', code: 'authorisation_needed', reason: `${words} ${AUTHORISE}` }
  }
  const listed = REFUSALS.some(
    (refusal) => refusal.status === status && refusal.errorType === errorType && refusal.text.test(message),
  )
  return listed ? { state: 'REJECTED', code: 'broker_rejected', reason: message } : unknown(reason)
}

function unknown(reason: string): Verdict {
  return { state: 'UNKNOWN', code: 'outcome_unknown', reason }
}
