// An exit as its next step sees it, of its row, its intents and the orders that came of them.
import { type IntentState, TERMINAL_RANK } from '@ticker/shared/domain'
import { isModifiable, isWorking, statusRank } from '../orders/order-status.ts'
import type { StoredExit } from './exit-store.ts'
import type { ExitView, LegView, Market, OrderState, OrderView } from './next-step.ts'

export interface ExitIntent {
  id: string
  broker_order_id: string | null
  leg: number
  n: number
  state: IntentState
  reason_code: string | null
  reason: string | null
  quantity: number
  price: number
  modifies: number
  moves: number
  change_pending: boolean
  cancel_asked: boolean
  priced_s: number
  still_s: number
  orders: { status: string; filled: number; price: number | null; status_message: string | null }[]
}

/** Nobody has refused the order itself: it may be tried again. */
const LAPSED_CODES = ['risk_unknown', 'risk_not_reducing', 'order_gate_closed', 'trading_not_enabled']

export function exitView(
  exit: StoredExit,
  now: { halted: boolean; blocked: string | undefined; market: ReadonlyMap<number, Market> },
): ExitView {
  const { request, legs } = exit
  return {
    ...{ state: exit.state, stopRequested: exit.stopRequested, halted: now.halted, blocked: now.blocked },
    ...{ hedgeOrder: request.hedge_order, cancelOpen: request.cancel_open },
    ...{ crossPercent: request.cross_percent, repriceEveryS: request.reprice_every_s },
    repricesMax: request.reprices_max,
    legs: legs?.map(
      (leg, index): LegView => ({
        ...{ index, name: `${leg.exchange}:${leg.tradingsymbol} ${leg.product}`, underlying: leg.underlying },
        ...{ side: leg.transaction_type, quantity: leg.quantity },
        orders: exit.intents
          .filter((intent) => intent.leg === index)
          .sort((a, b) => a.n - b.n)
          .map(orderView),
        market: now.market.get(index),
      }),
    ),
  }
}

function orderView(intent: ExitIntent): OrderView {
  const { orders } = intent
  const filled = orders.reduce((sum, order) => sum + order.filled, 0)
  const said = orders.map(({ status, status_message }) => status_message ?? status).join('; ')
  return {
    ...{ n: intent.n, state: stateOf(intent, filled), quantity: intent.quantity, filled },
    price: orders.at(-1)?.price || intent.price,
    ...{ modifies: intent.modifies, moves: intent.moves, cancelAsked: intent.cancel_asked },
    changePending: intent.change_pending || orders.some(({ status }) => !isModifiable(status)),
    ...{ pricedS: intent.priced_s, stillS: intent.still_s },
    reason: intent.reason ?? (said === '' ? `an order of it is ${intent.state}` : said),
  }
}

function stateOf(intent: ExitIntent, filled: number): OrderState {
  const { state, orders, quantity } = intent
  switch (state) {
    case 'QUEUED':
      return 'queued'
    case 'SENDING':
      return 'sending'
    case 'UNKNOWN':
      return 'unknown'
    case 'ACCEPTED': {
      if (orders.length > 0 && orders.every(({ status }) => statusRank(status) === TERMINAL_RANK)) {
        if (filled >= quantity) return 'filled'
        return intent.cancel_asked ? 'cut' : 'failed'
      }
      return orders.some(({ status }) => isWorking(status)) ? 'working' : 'received'
    }
    case 'NEEDS_AUTHORISATION':
      return 'parked'
    case 'CANCELLED':
      return intent.cancel_asked ? 'cut' : 'failed'
    case 'EXPIRED':
    case 'RELEASED':
      return 'lapsed'
    case 'REFUSED':
      return LAPSED_CODES.includes(intent.reason_code ?? '') ? 'lapsed' : 'failed'
    case 'REJECTED':
      return 'failed'
  }
}
