// A leg as a batch sees it, of its intent and the orders that came of it.
import {
  batchLegKey,
  batchUnwindKey,
  type IntentState,
  type PlaceOrder,
  TERMINAL_RANK,
} from '@ticker/shared/domain'
import { isWorking, statusRank } from '../orders/order-status.ts'
import type { StoredBatch } from './batch-store.ts'
import type { BatchView, LegState, LegView } from './next-step.ts'

export interface IntentRow {
  key: string
  id: string
  state: IntentState
  reason: string | null
  quantity: number
  age_s: number
  sent_s: number
  cancel_failed: boolean
  orders: { status: string; filled: number; status_message: string | null }[]
}

export function batchView(batch: StoredBatch): BatchView {
  const byKey = new Map(batch.intents.map((intent) => [intent.key, intent]))
  const { sequence, fill_timeout_s, legs } = batch.request
  return {
    ...{ state: batch.state, sequence, unwind: batch.unwind, fillTimeoutS: fill_timeout_s },
    ...{ stopRequested: batch.stopRequested, ageS: batch.ageS },
    legs: legs.map((leg, index) => legView(leg, index, byKey.get(batchLegKey(batch.id, index)))),
    unwinds: legs.map((leg, index) => legView(leg, index, byKey.get(batchUnwindKey(batch.id, index)))),
  }
}

function legView(
  { transaction_type: side, expires_in_s: expiresInS }: PlaceOrder,
  index: number,
  intent: IntentRow | undefined,
): LegView {
  const leg = { index, side, expiresInS }
  if (!intent)
    return { ...leg, state: 'absent', ageS: 0, doubtS: 0, filled: 0, cancelFailed: false, reason: null }
  const filled = intent.orders.reduce((sum, order) => sum + order.filled, 0)
  const said = intent.orders.map(({ status, status_message }) => status_message ?? status).join('; ')
  const reason = intent.reason ?? (said === '' ? intent.state : said)
  return {
    ...leg,
    state: stateOf(intent, filled),
    ageS: intent.age_s,
    doubtS: intent.sent_s,
    filled,
    cancelFailed: intent.cancel_failed,
    reason,
  }
}

function stateOf({ state, orders, quantity }: IntentRow, filled: number): LegState {
  switch (state) {
    case 'QUEUED':
      return 'queued'
    case 'SENDING':
      return 'sending'
    case 'UNKNOWN':
      return 'unknown'
    case 'ACCEPTED': {
      if (orders.length > 0 && orders.every(({ status }) => statusRank(status) === TERMINAL_RANK))
        return filled >= quantity ? 'filled' : 'failed'
      return orders.some(({ status }) => isWorking(status)) ? 'working' : 'received'
    }
    // Parked until a person authorises it, refused, expired, or given up: the legs after it do not wait for that.
    default:
      return 'failed'
  }
}
