// A place intent as a request to the broker, and what its verdict makes of the intent.
import type { RiskDecision } from '@ticker/shared/domain'
import type { Intent, IntentStore, Settlement } from './intent-store.ts'
import { orderForm } from './order-form.ts'
import type { Outgoing } from './sending.ts'
import { FIRST_READ_MS } from './unknown-schedule.ts'
import { queuedAgain, type Verdict, verdictOf } from './verdict.ts'

export function placing(intent: Intent, intents: IntentStore, decision: RiskDecision): Outgoing {
  return {
    kind: 'place',
    id: intent.id,
    createdMs: intent.createdMs,
    request: {
      method: 'POST',
      path: `/orders/${intent.request.variety}`,
      form: orderForm(intent.request, intent.tag),
    },
    claim: (sender) => intents.claim(intent.id, sender, decision),
    verdictOf,
    store: (claim, verdict) => intents.settle(claim, settlementOf(verdict)),
  }
}

function settlementOf(verdict: Verdict): Settlement {
  switch (verdict.state) {
    case 'ACCEPTED':
      return verdict
    case 'QUEUED':
    case 'QUEUED_SESSION_DEAD':
      return queuedAgain(verdict)
    case 'UNKNOWN':
      return { ...verdict, firstReadMs: FIRST_READ_MS }
    case 'REJECTED_AND_GATE':
      return { ...verdict, state: 'REJECTED' }
    default:
      return verdict
  }
}
