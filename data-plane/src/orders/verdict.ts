// What an answer to POST /orders means (RELIABILITY 4). A money rule: REJECTED only for what is listed here, because
// a synchronous refusal never has a book row; everything that is not listed is UNKNOWN and settled by reading.
import { describeFailure, type KiteOutcome, type PlacedItem, placedItems } from '@ticker/shared/kite-http'

export type SendOutcome =
  /** No byte was written: the broker cannot have seen it. */
  | { kind: 'not_sent'; reason: string }
  | { kind: 'answered'; outcome: KiteOutcome<unknown> }
  /** Written, and no complete answer came back. */
  | { kind: 'no_answer'; reason: 'timeout' | 'reset' | 'too_large' }

/** Of an order that was cut: what was said of the slices without an order id. */
export interface Slices {
  refused: string[]
  in_doubt: string[]
}

type Refused =
  | { state: 'REJECTED'; code: 'broker_rejected'; reason: string }
  /** As rejected; and no order of this account would fare better until a person has acted. */
  | { state: 'REJECTED_AND_GATE'; code: 'broker_forbidden'; reason: string }
  | { state: 'NEEDS_AUTHORISATION'; code: 'authorisation_needed'; reason: string }

export type Verdict =
  | { state: 'ACCEPTED'; orderIds: string[]; slices?: Slices }
  | (Refused & { slices?: Slices })
  /** `orderIds`: of the slices that certainly are at the broker. */
  | { state: 'UNKNOWN'; code: 'outcome_unknown'; reason: string; orderIds?: string[]; slices?: Slices }
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
  '(The order was not placed. Authorise the sale of these holdings with CDSL at the broker, https://kite.zerodha.com/holdings ' +
  'or the url of POST /v1/holdings/authorise, today before 17:30 IST, then place it again under a new Idempotency-Key.)'

export function verdictOf(sent: SendOutcome): Verdict {
  switch (sent.kind) {
    case 'not_sent':
      return { state: 'QUEUED', why: 'not_sent', reason: sent.reason }
    case 'no_answer':
      return unknown(`no complete answer (${sent.reason})`)
    case 'answered':
      return sent.outcome.ok ? placed(placedItems(sent.outcome.data)) : refused(sent.outcome)
  }
}

const UNREADABLE = 'the broker said success, and of this order nothing that can be read'

/**
 * Each item is an order id, a refusal, or neither. One id is enough to be accepted, and every refusal that is not
 * listed stays in doubt beside it: that slice may exist. What cannot be read at all is settled by reading the book.
 */
function placed(items: PlacedItem[]): Verdict {
  const orderIds = [...new Set(items.flatMap((item) => (item.kind === 'order' ? [item.orderId] : [])))]
  const refusals = items.flatMap((item) => (item.kind === 'refused' ? [refusedSlice(item)] : []))
  const isCut = items.length > 1 || refusals.length > 0
  const unreadable = items.filter(({ kind }) => kind === 'unreadable').map(() => UNREADABLE)
  const certain = refusals.flatMap(({ verdict }) => (verdict ? [verdict] : []))
  const in_doubt = [...refusals.flatMap(({ verdict, words }) => (verdict ? [] : [words])), ...unreadable]
  const slices = isCut ? { slices: { refused: certain.map(({ reason }) => reason), in_doubt } } : {}
  if (unreadable.length > 0 || items.length === 0) return { ...unknown(UNREADABLE), orderIds, ...slices }
  if (orderIds.length > 0) return { state: 'ACCEPTED', orderIds, ...slices }
  if (in_doubt.length > 0) return { ...unknown(in_doubt.join('; ')), ...slices }
  const gravest = certain.find(({ state }) => state !== 'REJECTED') ?? certain[0]
  if (!gravest) return unknown(UNREADABLE)
  const reason = [...new Set(certain.map((each) => each.reason))].join('; ')
  return { ...gravest, reason, ...slices }
}

/** `verdict`: that of a slice which was certainly not placed. It is never sent again: others may have been. */
function refusedSlice(item: Extract<PlacedItem, { kind: 'refused' }>): { verdict?: Refused; words: string } {
  const { status, errorType: error_type, message } = item
  const verdict = refused({ ok: false, failure: { kind: 'refused', status, error_type, message } })
  const words = message || error_type || UNREADABLE
  switch (verdict.state) {
    case 'UNKNOWN':
    case 'ACCEPTED':
      return { words }
    case 'QUEUED':
    case 'QUEUED_SESSION_DEAD':
      return { words, verdict: { state: 'REJECTED', code: 'broker_rejected', reason: words } }
    default:
      return { words, verdict }
  }
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

function unknown(reason: string): Extract<Verdict, { state: 'UNKNOWN' }> {
  return { state: 'UNKNOWN', code: 'outcome_unknown', reason }
}
