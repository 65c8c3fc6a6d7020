// What the order path also needs and a simulated world does not use: an account without limits, no changes, no batches, no exits.
import type { BatchStore } from '../../batches/batch-store.ts'
import type { ExitMarket } from '../../exits/exit-market.ts'
import type { ExitStore } from '../../exits/exit-store.ts'
import type { ChangeStore } from '../../orders/change-store.ts'
import type { OrderAccount } from '../../orders/deps.ts'
import type { RiskGate } from '../../orders/risk/gate.ts'

export const ACCOUNT: OrderAccount = {
  ...{ accountId: 'desk', owner: 'desk', apiKey: 'app', epoch: 0, socketRefused: false, session: undefined },
  ...{ maxConnections: 3, maxInstrumentsPerConnection: 3_000 },
  observed: {
    ...{ account_id: 'desk', active: true, owner: 'desk', api_key: 'app', market_data: true, trading: true },
    ...{ paper: false, max_connections: 3, max_instruments_per_connection: 3_000, session_version: 1 },
    ...{ trading_state: 'ACTIVE', own_trading_state: 'ACTIVE', trading_state_reason: null },
    ...{ sweep_requested_at: null, order_gate_reason: null, session_live: true, socket_refused: false },
    ...{
      due_orders: true,
      due_changes: false,
      live_batches: false,
      due_writes: false,
      live_exits: false,
      postback_hints: false,
    },
  },
}

export const noChanges: ChangeStore = {
  live: async () => [],
  expireOverdue: async () => [],
  claim: async () => undefined,
  claimedBy: async () => [],
  unclaim: async () => false,
  settle: async () => false,
  end: async () => false,
  refuseIfGated: async () => false,
  orphansToUnknown: async () => [],
}

export const noBatches: BatchStore = {
  live: async () => [],
  place: async () => false,
  squareOff: async () => false,
  dropUnsent: async () => false,
  cancel: async () => false,
  sayResting: async () => false,
  move: async () => false,
}

export const noExits: ExitStore = {
  live: async () => [],
  plan: async () => false,
  place: async () => false,
  reprice: async () => false,
  cancel: async () => false,
  cancelOthers: async () => false,
  shrink: async () => false,
  waits: async () => {},
  alarm: async () => false,
  move: async () => false,
}

/** Nothing is held, and no price is known. */
export const noMarket: ExitMarket = { plan: async () => [], look: async () => new Map() }

/** A gate without limits. */
export const allowAll: RiskGate = {
  facts: async () => ({ limits: [], sentToday: () => 0, sent: () => {} }),
  decideModify: async () => undefined,
  decide: async () => ({
    ...{ allowed: true, exit: false, code: null, reason: null },
    inputs: {
      ...{ trading_state: 'ACTIVE', orders_today: 0, strategy_orders_today: null, price: null },
      ...{ last_price: null, multiplier: null, value: null, day_pnl: null },
      ...{ strategy_day_pnl: null, reducible_quantity: null },
    },
  }),
}
