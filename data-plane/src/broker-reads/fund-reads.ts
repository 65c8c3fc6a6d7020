// Mutual funds of an account, as the broker has them; what a holding is worth by the net asset value it says.
import type {
  AccountAnswer,
  AccountRead,
  AccountReadRefused,
  FundAllotments,
  FundHoldings,
  FundOrders,
  FundSips,
  FundTrades,
} from '@ticker/shared/domain'
import {
  getFundAllotments,
  getFundHoldings,
  getFundOrders,
  getFundSips,
  getFundTrades,
  type KiteHttp,
  type Rows,
} from '@ticker/shared/kite-http'
import type { AccountReads } from './account-reads.ts'
import { rupees } from './own-pnl.ts'

type Answer<T> = { answer: T } | AccountReadRefused

export interface FundReadsDeps {
  kite: KiteHttp
  reads: AccountReads
  answered(accountId: string): AccountAnswer
  omittedOf(read: string, rows: Rows<unknown>): number
}

export interface FundReads {
  holdings(account: AccountRead): Promise<Answer<FundHoldings>>
  orders(account: AccountRead): Promise<Answer<FundOrders>>
  sips(account: AccountRead): Promise<Answer<FundSips>>
  trades(account: AccountRead, isin: string): Promise<Answer<FundTrades>>
  allotments(account: AccountRead): Promise<Answer<FundAllotments>>
}

export function createFundReads({ kite, reads, answered, omittedOf }: FundReadsDeps): FundReads {
  const head = (account: AccountRead, rows: Rows<unknown>) => ({
    ...answered(account.account_id),
    omitted: omittedOf(account.reading.read, rows),
  })
  return {
    async holdings(account) {
      const outcome = await reads.read(account, 'fund_holdings', (session) => getFundHoldings(kite, session))
      if (!outcome.ok) return outcome.refused
      const holdings = outcome.data.rows.map((row) => ({ ...row, own: worthOf(row) }))
      return { answer: { ...head(account, outcome.data), holdings } }
    },
    async orders(account) {
      const outcome = await reads.read(account, 'fund_orders', (session) => getFundOrders(kite, session))
      if (!outcome.ok) return outcome.refused
      return { answer: { ...head(account, outcome.data), orders: outcome.data.rows } }
    },
    async sips(account) {
      const outcome = await reads.read(account, 'fund_sips', (session) => getFundSips(kite, session))
      if (!outcome.ok) return outcome.refused
      return { answer: { ...head(account, outcome.data), sips: outcome.data.rows } }
    },
    async trades(account, isin) {
      const outcome = await reads.read(account, 'fund_trades', (session) =>
        getFundTrades(kite, session, isin),
      )
      if (!outcome.ok) return outcome.refused
      return { answer: { ...head(account, outcome.data), trades: outcome.data.rows } }
    },
    async allotments(account) {
      const outcome = await reads.read(account, 'fund_allotments', (session) =>
        getFundAllotments(kite, session),
      )
      if (!outcome.ok) return outcome.refused
      return { answer: { ...answered(account.account_id), isins: outcome.data } }
    },
  }
}

/** A net asset value of 0 is none. */
function worthOf(row: { quantity: number; last_price: number | null; average_price: number | null }) {
  const { quantity, last_price, average_price } = row
  if (!last_price) return null
  const pnl = average_price === null ? null : rupees(quantity * (last_price - average_price))
  return { value: rupees(quantity * last_price), pnl }
}
