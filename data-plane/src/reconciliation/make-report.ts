// One report: both records are read; where they differ the broker's book is taken over by the order path's own merge, and both are read
// again. Nothing is said of half an answer.
import {
  type BrokerTrade,
  brokerDay,
  istDay,
  istDayStartMs,
  type Listed,
  RECONCILIATION_ITEMS_MAX,
  type ReconciliationReport,
} from '@ticker/shared/domain'
import {
  type Credentials,
  getOrders,
  getPositions,
  getTrades,
  type KiteHttp,
  type KiteOutcome,
  type KitePositions,
  type OrderBook,
  type Rows,
} from '@ticker/shared/kite-http'
import type { AccountReads } from '../broker-reads/account-reads.ts'
import type { Clock } from '../clock.ts'
import { type BrokerRecord, compare, settle } from './compare.ts'
import type { OurRecords, Since } from './our-record.ts'

/** What is on its way is told, or read, by then. */
export const SECOND_LOOK_MS = 3_000

export interface ReconciledAccount {
  owner: string
  accountId: string
}

export type Made =
  | { ok: true; report: ReconciliationReport; day: string; eventSeq: number }
  | { ok: false; failure: string; detail: string }

export interface ReportDeps {
  clock: Clock
  reads: Pick<AccountReads, 'read'>
  kite: KiteHttp
  ours: OurRecords
  /** By the account's order path: adopts what is not known. */
  mergeBook(accountId: string, book: OrderBook): Promise<void>
}

type Read<T> = { ok: true; data: T } | { ok: false; failure: string; detail: string }

export function createReports(deps: ReportDeps) {
  const { clock, reads, kite, ours } = deps

  async function readBroker({ owner, accountId }: ReconciledAccount): Promise<Read<BrokerRecord>> {
    const ask = async <T>(
      name: string,
      get: (http: KiteHttp, credentials: Credentials) => Promise<KiteOutcome<T>>,
    ): Promise<Read<T>> => {
      const outcome = await reads.read({ owner, account_id: accountId }, name, (of) => get(kite, of))
      if (outcome.ok) return outcome
      const { refusal, detail } = outcome.refused
      return { ok: false, failure: refusal, detail: detail ?? refusal }
    }
    // The book last: it is taken over, and then has at least what the others show.
    const trades = await ask<Rows<BrokerTrade>>('trades', getTrades)
    if (!trades.ok) return trades
    const positions = await ask<KitePositions>('positions', getPositions)
    if (!positions.ok) return positions
    const book = await ask<OrderBook>('orders', getOrders)
    if (!book.ok) return book
    const rows = trades.data.omitted + positions.data.net.omitted + book.data.unreadable
    if (rows > 0)
      return { ok: false, failure: 'unreadable', detail: `${rows} rows of the broker are of unknown shape` }
    return { ok: true, data: { trades: trades.data, positions: positions.data, book: book.data } }
  }

  async function look(accountId: string, theirs: BrokerRecord) {
    const ids = theirs.book.orders.map(({ order_id }) => order_id)
    return compare(await ours.read(accountId, istDayStartMs(istDay(clock.nowMs())), ids), theirs)
  }

  return async (account: ReconciledAccount, signal: AbortSignal): Promise<Made> => {
    const { accountId } = account
    const first = await readBroker(account)
    if (!first.ok) return first
    const before = await look(accountId, first.data)
    let last = first.data
    let { converted } = before
    let settled = settle([], [], [])
    if (before.differences.length > 0) {
      await deps.mergeBook(accountId, last.book)
      const taken = await look(accountId, last)
      await clock.sleep(SECOND_LOOK_MS, signal)
      if (signal.aborted) return { ok: false, failure: 'stopped', detail: 'The process is stopping.' }
      const second = await readBroker(account)
      if (!second.ok) return second
      last = second.data
      await deps.mergeBook(accountId, last.book)
      const after = await look(accountId, last)
      converted = after.converted
      settled = settle(before.differences, taken.differences, after.differences)
    }
    const day = brokerDay(clock.nowMs())
    const { eventSeq, ...since }: Since = await ours.since(accountId, istDayStartMs(day))
    const compared = {
      orders: last.book.orders.length + last.book.misshapen.length,
      trades: last.trades.rows.length,
      positions: last.positions.net.rows.length,
    }
    const { drift, mended } = settled
    return {
      ok: true,
      ...{ day, eventSeq },
      report: {
        compared,
        ...{ drift: listed(drift), mended: listed(mended), converted: listed(converted) },
        ...since,
      },
    }
  }
}

const listed = <T>(all: T[]): Listed<T> => ({
  items: all.slice(0, RECONCILIATION_ITEMS_MAX),
  count: all.length,
})
