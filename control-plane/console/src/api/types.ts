// What the console reads of the API's answers; the whole shapes are in /openapi.json.

export interface Session {
  status: 'none' | 'active' | 'expired' | 'dead' | 'logged_out'
  user_name: string | null
  expires_at: string | null
  reason: string | null
  market_data_reason: string | null
}

export interface Account {
  id: string
  name: string
  broker_user_id: string | null
  status: 'active' | 'disabled'
  order_gate_reason: string | null
  market_data: boolean
  trading: boolean
  paper: boolean
  egress_group: string
  session: Session
  owner_instance_id: string | null
}

export interface Instance {
  id: string
  epoch: number
  alive: boolean
  status: string
  lease_until: string
  stream_url: string
  version: string
  egress_group: string
  accounts: string[]
}

export interface MarketNow {
  items: { exchange: string; phase: string; name: string | null; next_open: string | null }[]
}

export interface Fleet {
  realm: 'live' | 'sim'
  synthetic: boolean
  trading_state: string
  instruments: { count: number; fetched_at: string | null }
  command_channel: { breaker: string }
  instances: Instance[]
}

export interface Readiness {
  ready: boolean
  reasons: (string | { part?: string; reason?: string })[]
}

export interface Instrument {
  instrument_token: number
  exchange: string
  tradingsymbol: string
  name: string
  lot_size: number
  tick_size: number
}

export interface Subscription {
  exchange: string
  tradingsymbol: string
  instrument_token: number | null
  mode: string
  source: string
}

export interface StrikeLadder {
  id: string
  underlying: string
  exchange: string
  strikes: number
  expiries: number
  option_types: string[]
  futures: boolean
  mode: string
  account_id: string | null
  instruments_max: number
  state: {
    expiries: { expiry: string; atm: number }[]
    spot: { price: number; age_ms: number } | null
    reason: string | null
    moved_at: string | null
    instruments: number
  }
}

export interface OptionLeg {
  last_price: number | null
  bid: number | null
  ask: number | null
  oi: number | null
  iv: number | null
  delta: number | null
  theta: number | null
  unavailable: string | null
}

export interface OptionChain {
  underlying: string
  exchange: string
  expiry: string
  days_to_expiry: number | null
  expiries: string[]
  model: string | null
  rate: number
  dividend_yield: number
  spot: { instrument: string; price: number; age_ms: number } | null
  future: { instrument: string; price: number; age_ms: number } | null
  forward: number | null
  unavailable: string | null
  atm_strike: number | null
  atm_iv: number | null
  skew_25d: number | null
  pcr_oi: number | null
  max_pain: number | null
  max_pain_strikes: number
  legs: { listed: number; streamed: number; with_oi: number; with_iv: number }
  strikes: { strike: number; call: OptionLeg | null; put: OptionLeg | null }[]
}

export interface BrokerOrder {
  order_id: string
  status: string
  status_message: string | null
  filled_quantity: number
  average_price: number
}

export interface Order {
  id: string
  account_id: string
  paper: boolean
  state: string
  reason: string | null
  request: {
    exchange: string
    tradingsymbol: string
    transaction_type: string
    quantity: number
    order_type: string
    price?: number
  }
  tag: string | null
  broker_orders: BrokerOrder[]
  slices: { refused: string[]; in_doubt: string[] } | null
  created_at: string
}

/** The answer to a cancel. */
export interface OrderChange {
  state: string
  reason: string | null
}

export interface AccountOrder extends BrokerOrder {
  account_id: string
  exchange: string
  tradingsymbol: string
  transaction_type: string
  quantity: number
  order_type: string | null
  price: number | null
}

export interface OrderEvent {
  seq: number
  kind: string
  at: string
  detail: Record<string, unknown>
}

export interface ApiKey {
  id: string
  name: string
  scopes: string[]
  refuse_repeats_s: number | null
  revoked_at: string | null
  created_at: string
}

export interface AuditEntry {
  id: string
  at: string
  actor: string
  action: string
  subject: string
  outcome: 'allowed' | 'denied'
  detail: Record<string, unknown>
}

export interface InstrumentRefresh {
  id: string
  force_sha256: string | null
  state: 'waiting' | 'stored' | 'failed'
  requested_at: string
  finished_at: string | null
  reason: string | null
  row_count: number | null
  refused_sha256: string | null
}

export interface InstrumentChange {
  id: number
  at: string
  exchange: string
  tradingsymbol: string
  change: string
  before: string | null
  after: string | null
}

export interface Gtt {
  id: string
  account_id: string
  status: string
  exchange: string
  tradingsymbol: string
  trigger_values: number[]
  orders: {
    transaction_type: string
    quantity: number
    product: string
    price: number
    result: { rejection_reason: string | null } | null
  }[]
  broker_orders: { order_id: string; status: string }[]
  expires_at: string | null
}

export interface GttWrite {
  id: string
  kind: string
  trigger_id: string | null
  state: string
  reason: string | null
  created_at: string
}

export interface Page<T> {
  items: T[]
  next_cursor: string | null
}

export interface Problem {
  status: number
  code: string
  title: string
  detail?: string | null
  request_id?: string
  errors?: { path: string; message: string }[]
}

export interface Candle {
  time: string
  open: number
  high: number
  low: number
  close: number
  volume: number | null
  oi: number | null
  /** Of live candles: ticks of it may be missing. */
  gap?: boolean
}

export interface HistoryPage {
  exchange: string
  tradingsymbol: string
  interval: string
  complete: boolean
  candles: Candle[]
  next_cursor: string | null
  loads: { id: string; days: { total: number; loaded: number } }[]
  synthetic: boolean
}

export interface Webhook {
  id: string
  url: string
  events: string[]
  account_ids: string[] | null
  pending: number
  failures: number
  rests_until: string | null
}

export interface WebhookDelivery {
  id: string
  event_type: string
  state: 'pending' | 'delivered' | 'dead'
  attempts: number
  status: number | null
  error: string | null
  body: string
  created_at: string
}

export type TradingState = 'ACTIVE' | 'REDUCING' | 'HALTED'

export interface TradingStates {
  fleet: { state: TradingState; reason: string | null; changed_at: string | null }
  accounts: {
    account_id: string
    state: TradingState
    reason: string | null
    changed_at: string | null
    sweep_requested_at: string | null
    open_orders: number
    orders_in_doubt: number
  }[]
}

export interface PnlFigures {
  realised: number | null
  unrealised: number | null
  pnl: number | null
  day_pnl: number | null
}

export interface Pnl {
  account: PnlFigures & { broker: { pnl: number | null } }
  strategies: (PnlFigures & { strategy: string | null })[]
  positions: (PnlFigures & {
    exchange: string
    tradingsymbol: string
    product: string
    quantity: number
    average_price: number | null
    last_price: number | null
    price_from: 'tick' | 'broker' | null
    broker: { quantity: number; pnl: number | null } | null
  })[]
}

export interface Reconciliation {
  id: string
  reason: 'start' | 'reconnect' | 'close' | 'asked'
  state: 'PENDING' | 'DONE' | 'FAILED'
  outcome: 'agrees' | 'drift' | null
  failure: string | null
  requested_at: string
  finished_at: string | null
  report: {
    drift: {
      count: number
      items: {
        kind: string
        order_id: string | null
        tradingsymbol: string | null
        product: string | null
        field: string | null
        ours: string | number | null
        broker: string | number | null
      }[]
    }
    external: { count: number }
  } | null
}

export interface RiskLimits {
  account_id: string
  strategy: string | null
  max_order_value: number | null
  max_order_quantity: number | null
  max_orders_a_day: number | null
  max_daily_loss: number | null
  max_price_deviation_percent: number | null
  mis_entries_until: string | null
  no_entries_on_expiry_day: boolean | null
}

export interface Batch {
  id: string
  account_id: string
  state: 'RUNNING' | 'STOPPING' | 'DONE' | 'STOPPED'
  reason: string | null
  unwind: string
  unwind_failure: string | null
  request: { legs: Order['request'][]; sequence: string }
  margin: { initial: number; final: number; available: number } | null
  legs: { order: Order | null; unwind: Order | null }[]
  stop_requested_at: string | null
  created_at: string
}

export interface Exit {
  id: string
  account_id: string
  state: 'RUNNING' | 'STOPPING' | 'DONE' | 'STOPPED'
  reason: string | null
  waiting: string | null
  alarm_at: string | null
  legs: { tradingsymbol: string; quantity: number; filled_quantity: number }[] | null
  created_at: string
}
