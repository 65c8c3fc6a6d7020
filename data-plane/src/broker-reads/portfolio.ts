// Answers to the control plane's questions on one account: what the broker says, and our own profit and loss beside it.
import {
  type AccountAnswer,
  type AccountRead,
  type AccountReadRefused,
  type Auctions,
  type AuthorisationRequest,
  type BasketMargins,
  brokerDay,
  type DryRun,
  type FundAllotments,
  type FundHoldings,
  type FundOrders,
  type FundSips,
  type Funds,
  type FundTrades,
  type Holdings,
  istDay,
  istDayStartMs,
  type Margins,
  type OrderCharges,
  type OrderHistory,
  type PlaceOrder,
  type Pnl,
  type Positions,
  quantityMultiplier,
  type RiskDecision,
  type TriggerRanges,
  type ValuedTrades,
} from '@ticker/shared/domain'
import {
  getFunds,
  getHoldings,
  getOrderHistory,
  getPositions,
  getTrades,
  type KiteHttp,
  type Rows,
} from '@ticker/shared/kite-http'
import { Counter, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { InstrumentDirectory } from '../market-data/instrument-directory.ts'
import type { ReadQuotes } from '../market-data/quotes.ts'
import type { FillStore } from '../orders/fill-store.ts'
import { accountPnl } from './account-pnl.ts'
import type { AccountReads } from './account-reads.ts'
import { createDepositoryReads } from './depository-reads.ts'
import { createFundReads } from './fund-reads.ts'
import { createOrderValues } from './order-values.ts'
import { holdingPnl, positionPnl, rupees } from './own-pnl.ts'
import { keyOf, type Named, ownPrices } from './own-prices.ts'
import type { Mark } from './pnl-book.ts'

type Answer<T> = { answer: T } | AccountReadRefused
export type PortfolioAnswer = Answer<
  | (Positions | Holdings | Funds | ValuedTrades)
  | (Margins | BasketMargins | OrderCharges)
  | (FundHoldings | FundOrders | FundSips | FundTrades | FundAllotments)
  | (Auctions | AuthorisationRequest | TriggerRanges)
  | (DryRun | OrderHistory | Pnl)
>

export interface PortfolioDeps {
  clock: Clock
  registry: Registry
  isSynthetic: boolean
  isPaper(accountId: string): boolean
  kite: KiteHttp
  reads: AccountReads
  fills: FillStore
  quotes: ReadQuotes
  directory(): InstrumentDirectory
  /** What the risk gate would decide now; undefined: the account is not here. */
  decide(account: { owner: string; account_id: string }, order: PlaceOrder): Promise<RiskDecision | undefined>
}

export function createPortfolio(deps: PortfolioDeps): (read: AccountRead) => Promise<PortfolioAnswer> {
  const { clock, kite, reads } = deps
  const rowsOmitted = new Counter({
    name: 'ticker_account_rows_omitted_total',
    help: 'Rows of the broker that were not passed on: of an unknown shape, or too many',
    labelNames: ['read'],
    registers: [deps.registry],
  })

  const answered = (account_id: string): AccountAnswer => ({
    account_id,
    paper: deps.isPaper(account_id),
    synthetic: deps.isSynthetic || deps.isPaper(account_id),
    answered_at: new Date(clock.nowMs()).toISOString(),
  })

  const depository = createDepositoryReads({ kite, reads, answered, omittedOf })
  const funded = createFundReads({ kite, reads, answered, omittedOf })
  const orderValues = createOrderValues({ kite, reads, quotes: deps.quotes, answered })

  function omittedOf(read: string, ...lists: Rows<unknown>[]): number {
    const omitted = lists.reduce((sum, list) => sum + list.omitted, 0)
    if (omitted > 0) rowsOmitted.inc({ read }, omitted)
    return omitted
  }

  function multipliers() {
    const directory = deps.directory()
    const today = istDay(clock.nowMs())
    return ({ exchange, tradingsymbol }: Named): number | undefined =>
      quantityMultiplier(
        { exchange, name: directory.byKey(keyOf({ exchange, tradingsymbol }))?.name ?? '' },
        today,
      )
  }

  async function positions(account: AccountRead): Promise<Answer<Positions>> {
    const outcome = await reads.read(account, 'positions', (credentials) => getPositions(kite, credentials))
    if (!outcome.ok) return outcome.refused
    const { net, day } = outcome.data
    const priceOf = await ownPrices(deps.quotes, account.owner, [...net.rows, ...day.rows])
    const multiplierOf = multipliers()
    const valued = (rows: typeof net.rows) =>
      rows.map((row) => ({ ...row, own: positionPnl(row, priceOf(row), multiplierOf(row)) }))
    const omitted = omittedOf('positions', net, day)
    return {
      answer: { ...answered(account.account_id), net: valued(net.rows), day: valued(day.rows), omitted },
    }
  }

  async function pnl(account: AccountRead): Promise<Answer<Pnl>> {
    const outcome = await reads.read(account, 'positions', (credentials) => getPositions(kite, credentials))
    if (!outcome.ok) return outcome.refused
    const readMs = clock.monotonicMs()
    const { net } = outcome.data
    // After the broker's: ours then has what the broker's has, as far as it was told.
    const fills = await deps.fills.since(account.account_id, istDayStartMs(brokerDay(clock.nowMs())))
    const priceOf = await ownPrices(deps.quotes, account.owner, [...net.rows, ...fills])
    const brokers = new Map(net.rows.map((row) => [keyOf(row), row.last_price ?? 0]))
    const age_ms = Math.round(clock.monotonicMs() - readMs)
    const markOf = (row: Named): Mark | undefined => {
      const price = priceOf(row)
      if (price) return { ...price, price_from: 'tick' }
      const last_price = brokers.get(keyOf(row)) ?? 0
      return last_price > 0 ? { last_price, age_ms, price_from: 'broker' } : undefined
    }
    const made = accountPnl({ net: net.rows, fills, markOf, multiplierOf: multipliers() })
    return { answer: { ...answered(account.account_id), ...made, omitted: omittedOf('positions', net) } }
  }

  async function holdings(account: AccountRead): Promise<Answer<Holdings>> {
    const outcome = await reads.read(account, 'holdings', (credentials) => getHoldings(kite, credentials))
    if (!outcome.ok) return outcome.refused
    const { rows } = outcome.data
    const priceOf = await ownPrices(deps.quotes, account.owner, rows)
    const valued = rows.map((row) => ({ ...row, own: holdingPnl(row, priceOf(row)) }))
    const omitted = omittedOf('holdings', outcome.data)
    return { answer: { ...answered(account.account_id), holdings: valued, omitted } }
  }

  async function funds(account: AccountRead): Promise<Answer<Funds>> {
    const outcome = await reads.read(account, 'funds', (credentials) => getFunds(kite, credentials))
    if (!outcome.ok) return outcome.refused
    return { answer: { ...answered(account.account_id), ...outcome.data } }
  }

  async function trades(account: AccountRead, orderIds?: readonly string[]): Promise<Answer<ValuedTrades>> {
    const outcome = await reads.read(account, 'trades', (credentials) => getTrades(kite, credentials))
    if (!outcome.ok) return outcome.refused
    const multiplierOf = multipliers()
    const valued = outcome.data.rows
      .filter(({ order_id }) => !orderIds || orderIds.includes(order_id))
      .map((trade) => {
        const multiplier = multiplierOf(trade) ?? null
        const value = multiplier === null ? null : rupees(trade.quantity * trade.average_price * multiplier)
        return { ...trade, multiplier, value }
      })
    const omitted = omittedOf('trades', outcome.data)
    return { answer: { ...answered(account.account_id), trades: valued, omitted } }
  }

  async function orderHistory(account: AccountRead, orderId: string): Promise<Answer<OrderHistory>> {
    const outcome = await reads.read(account, 'order_history', (credentials) =>
      getOrderHistory(kite, credentials, orderId),
    )
    if (!outcome.ok) return outcome.refused
    return { answer: { ...answered(account.account_id), orders: outcome.data } }
  }

  async function riskDecision(account: AccountRead, order: PlaceOrder): Promise<Answer<DryRun>> {
    const decision = await deps.decide(account, order)
    if (!decision) return { refusal: 'not_owned', detail: null }
    return { answer: { ...answered(account.account_id), decision } }
  }

  return (account) => {
    const { reading } = account
    switch (reading.read) {
      case 'positions':
        return positions(account)
      case 'pnl':
        return pnl(account)
      case 'holdings':
        return holdings(account)
      case 'funds':
        return funds(account)
      case 'trades':
        return trades(account, reading.order_ids)
      case 'fund_holdings':
        return funded.holdings(account)
      case 'fund_orders':
        return funded.orders(account)
      case 'fund_sips':
        return funded.sips(account)
      case 'fund_trades':
        return funded.trades(account, reading.isin)
      case 'fund_allotments':
        return funded.allotments(account)
      case 'auctions':
        return depository.auctions(account)
      case 'authorisation':
        return depository.authorisation(account, reading.holdings)
      case 'trigger_ranges':
        return orderValues.triggerRanges(account, reading.transaction_type, reading.instruments)
      case 'margins':
        return orderValues.margins(account, reading.orders)
      case 'basket_margins':
        return orderValues.basket(account, reading.orders, reading.consider_positions)
      case 'charges':
        return orderValues.charges(account, reading.orders)
      case 'order_history':
        return orderHistory(account, reading.order_id)
      case 'risk_decision':
        return riskDecision(account, reading.order)
    }
  }
}
