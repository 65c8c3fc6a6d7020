// A place intent as a request to the broker, and what its verdict makes of the intent.
import type { Intent, IntentStore, Settlement } from './intent-store.ts'
import { orderForm } from './order-form.ts'
import type { Outgoing } from './sending.ts'
import { FIRST_READ_MS } from './unknown-schedule.ts'
import { type Verdict, verdictOf } from './verdict.ts'

export const RATE_LIMITED_RETRY_MS = 1_100

export function placing(intent: Intent, intents: IntentStore): Outgoing {
  return {
    kind: 'place',
    id: intent.id,
    createdMs: intent.createdMs,
    request: {
      method: 'POST',
      path: `/orders/${intent.request.variety}`,
      form: orderForm(intent.request, intent.tag),
    },
    claim: (sender) => intents.claim(intent.id, sender),
    verdictOf,
    store: (claim, verdict) => intents.settle(claim, settlementOf(verdict)),
  }
}

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
