// The log of orders as the stream reads it: how far each account has come, and what comes after a number. An account's number
// and its events are written in one transaction: up to a number that was read, every event can be read.
import {
  ACCOUNT_ORDER_EVENT_JOINS_SQL,
  ACCOUNT_ORDER_EVENT_SQL,
  type AccountOrderEvent,
} from '@ticker/shared/domain'
import type pg from 'pg'

export interface LogHead {
  accountId: string
  owner: string
  /** Of its last event; 0 without any. */
  seq: number
  deleted: boolean
}

export interface PageAsked {
  accountId: string
  after: number
}

export interface EventReads {
  /** Of every account of these owners, deleted ones too. */
  heads(owners: readonly string[]): Promise<LogHead[]>
  /** After each of these, at most so many events, in order of their accounts and numbers. */
  pages(asked: readonly PageAsked[], eventsMax: number): Promise<EventPage[]>
}

export interface EventPage extends PageAsked {
  events: AccountOrderEvent[]
}

const HEADS = `
  select id as "accountId", owner, event_seq::float8 as seq, status = 'deleted' as deleted
  from ticker.accounts where owner = any($1)`

const PAGES = `
  select p.account_id as "accountId", p.after::float8 as after, coalesce((
    select jsonb_agg(${ACCOUNT_ORDER_EVENT_SQL} order by e.seq) from (
      select * from ticker.order_events e where e.account_id = p.account_id and e.seq > p.after order by e.seq limit $3
    ) e ${ACCOUNT_ORDER_EVENT_JOINS_SQL}), '[]'::jsonb) as events
  from unnest($1::text[], $2::bigint[]) as p(account_id, after)`

export function createEventReads(pool: pg.Pool): EventReads {
  return {
    async heads(owners) {
      return (await pool.query<LogHead>(HEADS, [owners])).rows
    },
    async pages(asked, eventsMax) {
      const [accounts, afters] = [asked.map(({ accountId }) => accountId), asked.map(({ after }) => after)]
      return (await pool.query<EventPage>(PAGES, [accounts, afters, eventsMax])).rows
    },
  }
}
