// Mutual funds of a user: each is held, and bought by a monthly SIP whose last order has been done. Reads alone, as at the broker.
import { istDate } from '../ist-time.ts'

export interface FundOptions {
  /** ISIN. */
  tradingsymbol: string
  fund: string
  quantity: number
  average_price: number
  last_price: number
  sip_amount: number
}

const DAY_MS = 86_400_000

export function fundHolding(fund: FundOptions, index: number, nowMs: number) {
  return {
    ...priced(fund, nowMs),
    folio: `${3_108_290_884 + index}`,
    average_price: fund.average_price,
    quantity: fund.quantity,
    pledged_quantity: 0,
    pnl: 0,
    discrepancy: false,
  }
}

export function fundSip(fund: FundOptions, index: number, nowMs: number) {
  return {
    ...{ tradingsymbol: fund.tradingsymbol, fund: fund.fund },
    sip_id: `${892_741_486_820_670 + index}`,
    ...{ status: 'ACTIVE', sip_type: 'sip', transaction_type: 'BUY', dividend_type: 'growth' },
    ...{ frequency: 'monthly', instalment_amount: fund.sip_amount, instalment_day: 5 },
    ...{ instalments: -1, completed_instalments: 12, pending_instalments: -1 },
    next_instalment: istDate(nowMs + 20 * DAY_MS),
    last_instalment: `${istDate(nowMs - 2 * DAY_MS)} 08:33:07`,
    created: `${istDate(nowMs - 365 * DAY_MS)} 13:39:36`,
    trigger_price: 0,
    step_up: {},
    tag: 'coinsip',
  }
}

export function fundOrder(fund: FundOptions, index: number, nowMs: number) {
  return {
    ...priced(fund, nowMs),
    order_id: `271989e0-a64e-4cf3-b4e4-${String(index).padStart(12, '0')}`,
    exchange_order_id: `${254_657_127 + index}`,
    ...{ status: 'COMPLETE', status_message: 'Order allotted', purchase_type: 'ADDITIONAL', folio: null },
    ...{ transaction_type: 'BUY', variety: 'sip', settlement_id: '2122061', tag: 'coinsip' },
    ...{
      amount: fund.sip_amount,
      quantity: fund.sip_amount / fund.last_price,
      average_price: fund.last_price,
    },
    order_timestamp: `${istDate(nowMs - 2 * DAY_MS)} 08:33:07`,
    exchange_timestamp: istDate(nowMs - 2 * DAY_MS),
  }
}

/** All of it was bought at once. */
export function fundTrade({ fund, tradingsymbol, quantity, average_price }: FundOptions, nowMs: number) {
  return {
    ...{ fund, tradingsymbol, variety: 'regular', folio: '3108290884' },
    ...{ average_price, quantity, amount: quantity * average_price },
    exchange_timestamp: istDate(nowMs - 365 * DAY_MS),
  }
}

function priced({ tradingsymbol, fund, last_price }: FundOptions, nowMs: number) {
  return { tradingsymbol, fund, last_price, last_price_date: istDate(nowMs - DAY_MS) }
}
