// The order stream over a log in memory.
import type { AccountOrderEvent } from '@ticker/shared/domain'
import { Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import { ORDER_STREAM_BOUNDS, type OrderStreamBounds } from '../order-stream/bounds.ts'
import type { EventReads, LogHead, PageAsked } from '../order-stream/event-reads.ts'
import { createOrderStreamMetrics } from '../order-stream/metrics.ts'
import { createOrderStream } from '../order-stream/order-stream.ts'

interface Account {
  owner: string
  deleted: boolean
  /** What is kept of it. */
  events: AccountOrderEvent[]
  seq: number
}

export function fakeOrders(clock: Clock, bounds: Partial<OrderStreamBounds> = {}) {
  const accounts = new Map<string, Account>()
  const registry = new Registry()
  const asked: { heads: number; pages: PageAsked[] } = { heads: 0, pages: [] }
  /** Reads wait for it: throw, or never come back. */
  let away: (() => Promise<void>) | undefined
  const reads: EventReads = {
    async heads(owners) {
      asked.heads += 1
      await away?.()
      return [...accounts].flatMap(([accountId, { owner, seq, deleted }]): LogHead[] =>
        owners.includes(owner) ? [{ accountId, owner, seq, deleted }] : [],
      )
    },
    async pages(pages, eventsMax) {
      await away?.()
      asked.pages.push(...pages)
      return pages.map(({ accountId, after }) => ({
        accountId,
        after,
        events: (accounts.get(accountId)?.events ?? []).filter(({ seq }) => seq > after).slice(0, eventsMax),
      }))
    },
  }
  const stream = createOrderStream({
    clock,
    reads,
    metrics: createOrderStreamMetrics(registry),
    bounds: { ...ORDER_STREAM_BOUNDS, ...bounds },
  })
  return {
    stream,
    accounts,
    asked,
    registry,
    account(accountId: string, owner = 'desk') {
      accounts.set(accountId, { owner, deleted: false, events: [], seq: 0 })
    },
    /** Appends so many events. */
    happen(accountId: string, count = 1) {
      const account = accounts.get(accountId)
      for (let index = 0; account && index < count; index += 1) {
        account.seq += 1
        account.events.push({
          ...{ account_id: accountId, seq: account.seq, kind: 'intent.queued', detail: {}, tag: null },
          ...{ order_id: null, intent_id: `ord_${account.seq}`, state: 'QUEUED', broker_order: null },
          at: new Date(clock.nowMs()).toISOString(),
        })
      }
    },
    goAway(how: (() => Promise<void>) | undefined) {
      away = how
    },
  }
}
