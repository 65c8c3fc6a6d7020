// The broker's orders as one monotonic record each, merged from socket, postback and book in any order and number
// (RELIABILITY 13). Rows that carry one of our tags, or are a leg or slice of an order of ours, adopt their intent
// (RELIABILITY 5): seeing is evidence.
import { type IntentState, openOrderSql, ordersMissingSql, TERMINAL_RANK } from '@ticker/shared/domain'
import { brokerUpdatedMs, type KiteOrder, parentOf, tagsOf } from '@ticker/shared/kite-http'
import type pg from 'pg'
import { inTransaction } from '../operations/transaction.ts'
import { CANCEL_AGAIN } from './cancel-again.ts'
import { LOG_HAPPENED } from './event-log.ts'
import { statusRank } from './order-status.ts'

export interface ChangedOrder {
  orderId: string
  intentId: string | null
  clientTag: string | null
  order: KiteOrder
}

export interface MergeResult {
  changed: ChangedOrder[]
  /** Intents that an order was found for and that did not say so yet, with what they said. */
  adopted: { id: string; was: IntentState }[]
  open: OpenOrders
}

export interface OpenOrders {
  /** Orders of the account that are not finished, those not seen yet included. */
  count: number
  /** Accepted by the broker and in none of its books or updates so far, or not with all of its slices. */
  unseen: number
  /** How long ago the oldest of these was sent; 0: there is none. */
  unseenOldestMs: number
}

export type OrderSource = 'socket' | 'postback' | 'book'

/** An order at the broker, the tags it carries and the order it is a part of: enough to adopt an intent. */
export interface SeenOrder {
  order_id: string
  tags: string[]
  parent_order_id?: string | undefined
}

export interface OrderStore {
  /** `alsoSeen`: orders of which nothing else can be read. */
  merge(
    accountId: string,
    orders: KiteOrder[],
    source: OrderSource,
    alsoSeen?: readonly SeenOrder[],
  ): Promise<MergeResult>
  open(accountId: string): Promise<OpenOrders>
  takeHints(accountId: string, limit: number): Promise<{ orderId: string; receivedAt: string }[]>
  dropHint(accountId: string, orderId: string, receivedAt: string): Promise<void>
}

const ADOPT = `
  with seen as (
    select r.* from jsonb_to_recordset($2::jsonb) as r(order_id text, tags text[], parent_order_id text)),
  named as (
    select i.id, s.order_id from seen s join ticker.order_intents i on i.account_id = $1 and i.tag = any(s.tags)),
  matched as (
    select id, order_id from named
    union select n.id, s.order_id from seen s join named n on n.order_id = s.parent_order_id
    union select l.intent_id, s.order_id from seen s
      join ticker.intent_orders l on l.account_id = $1 and l.order_id in (s.order_id, s.parent_order_id)),
  linked as (
    insert into ticker.intent_orders (account_id, order_id, intent_id)
    select $1, order_id, id from matched on conflict do nothing returning account_id, order_id, intent_id),
  attached as (
    update ticker.orders r set intent_id = l.intent_id from linked l
    where r.account_id = l.account_id and r.order_id = l.order_id and r.intent_id is null),
  ${CANCEL_AGAIN},
  changed as (
    update ticker.order_intents o set state = 'ACCEPTED', broker_order_id = coalesce(o.broker_order_id, m.order_id),
      reason_code = null, reason = null, updated_at = now()
    from (
      select i.id, i.state, min(x.order_id) as order_id, jsonb_agg(x.order_id order by x.order_id) as order_ids
      from matched x join ticker.order_intents i on i.id = x.id group by i.id) m
    where o.id = m.id and o.state <> 'ACCEPTED'
    returning o.account_id, o.id, m.order_id, m.order_ids, m.state as was),
  happened as (
    select account_id, id as intent_id, order_id, 'intent.accepted' as kind,
      jsonb_build_object('order_ids', order_ids, 'adopted_from', was, 'source', $3::text) as detail
    from changed
    union all select * from cancel_again), ${LOG_HAPPENED}
  select id, was from changed`

/** What a modify may change beside the quantity: it can happen within the second in which the order was placed. */
const stated = (row: string) =>
  ['price', 'trigger_price', 'order_type', 'validity', 'disclosed_quantity']
    .map((field) => `${row}.broker_order->'${field}'`)
    .join(', ')

const MERGE = `
  with incoming as (
    select r.* from jsonb_to_recordset($2::jsonb) as r(order_id text, status text, status_rank smallint, status_message text,
      exchange text, tradingsymbol text, transaction_type text, quantity int, filled_quantity int,
      average_price numeric, updated_ms float8, broker_order jsonb)),
  changed as (
    insert into ticker.orders as o (account_id, order_id, intent_id, status, status_rank, status_message, exchange, tradingsymbol,
      transaction_type, quantity, filled_quantity, average_price, broker_updated_at, broker_order)
    select $1, n.order_id, l.intent_id, n.status, n.status_rank, n.status_message, n.exchange, n.tradingsymbol,
      n.transaction_type, n.quantity, n.filled_quantity, n.average_price, to_timestamp(n.updated_ms / 1000), n.broker_order
    from incoming n left join ticker.intent_orders l on l.account_id = $1 and l.order_id = n.order_id
    on conflict (account_id, order_id) do update set intent_id = coalesce(o.intent_id, excluded.intent_id),
      status = excluded.status, status_rank = excluded.status_rank, status_message = excluded.status_message,
      quantity = excluded.quantity, filled_quantity = excluded.filled_quantity, average_price = excluded.average_price,
      broker_updated_at = excluded.broker_updated_at, broker_order = excluded.broker_order, updated_at = now()
    where o.status_rank < ${TERMINAL_RANK}
      and excluded.filled_quantity >= o.filled_quantity
      and (excluded.status_rank = ${TERMINAL_RANK} or excluded.broker_updated_at > o.broker_updated_at
        or (excluded.broker_updated_at = o.broker_updated_at
          and ($3::text <> 'socket' or excluded.status_rank >= o.status_rank)))
      and (excluded.status, excluded.filled_quantity, excluded.average_price, excluded.quantity, excluded.status_message,
           excluded.broker_updated_at, ${stated('excluded')})
        is distinct from (o.status, o.filled_quantity, o.average_price, o.quantity, o.status_message, o.broker_updated_at,
          ${stated('o')})
    returning o.order_id, o.intent_id, o.status, o.filled_quantity, o.average_price, o.status_message, o.broker_updated_at),
  bumped as (
    update ticker.accounts set event_seq = event_seq + (select count(*) from changed)
    where id = $1 and exists (select 1 from changed) returning event_seq - (select count(*) from changed) as base),
  logged as (
    insert into ticker.order_events (account_id, seq, kind, intent_id, order_id, detail)
    select $1, b.base + row_number() over (order by c.broker_updated_at, c.order_id), 'order.updated', c.intent_id, c.order_id,
      jsonb_build_object('status', c.status, 'filled_quantity', c.filled_quantity, 'average_price', c.average_price,
        'status_message', c.status_message, 'source', $3::text)
    from changed c, bumped b)
  select c.order_id, c.intent_id, i.client_tag from changed c left join ticker.order_intents i on i.id = c.intent_id`

interface Open {
  working: number
  unseen: number
  unseen_ms: string | null
}

/** An intent was accepted with its order ids; until a book or an update shows an order, nobody knows what it does. */
const OPEN = `
  select (select count(*)::int from ticker.orders o where o.account_id = $1 and ${openOrderSql('o')}) as working,
    count(*)::int as unseen, extract(epoch from now() - min(i.sending_at)) * 1000 as unseen_ms
  from ticker.order_intents i
  where i.account_id = $1 and i.state = 'ACCEPTED'
    and i.sending_at >= date_trunc('day', now() at time zone 'Asia/Kolkata') at time zone 'Asia/Kolkata'
    and (${ordersMissingSql('i')} or exists (select from ticker.intent_orders l where l.intent_id = i.id
      and not exists (select from ticker.orders o where o.account_id = l.account_id and o.order_id = l.order_id)))`

function asOpen(row: Open | undefined): OpenOrders {
  const unseen = row?.unseen ?? 0
  return { count: (row?.working ?? 0) + unseen, unseen, unseenOldestMs: Number(row?.unseen_ms ?? 0) }
}

export function createOrderStore(pool: pg.Pool): OrderStore {
  return {
    async merge(accountId, orders, source, alsoSeen = []) {
      const latest = lastPerOrder(orders)
      return inTransaction(pool, async (client) => {
        const seen = [
          ...latest.map((order) => ({
            order_id: order.order_id,
            tags: tagsOf(order),
            parent_order_id: parentOf(order),
          })),
          ...alsoSeen,
        ]
        const adopted = await client.query<{ id: string; was: IntentState }>(ADOPT, [
          accountId,
          JSON.stringify(seen),
          source,
        ])
        const rows = JSON.stringify(latest.map(asRow))
        const changed = await client.query<{
          order_id: string
          intent_id: string | null
          client_tag: string | null
        }>(MERGE, [accountId, rows, source])
        const open = await client.query<Open>(OPEN, [accountId])
        const byId = new Map(latest.map((order) => [order.order_id, order]))
        return {
          adopted: adopted.rows,
          changed: changed.rows.flatMap((row) => {
            const order = byId.get(row.order_id)
            return order
              ? [{ orderId: row.order_id, intentId: row.intent_id, clientTag: row.client_tag, order }]
              : []
          }),
          open: asOpen(open.rows[0]),
        }
      })
    },

    async open(accountId) {
      const { rows } = await pool.query<Open>(OPEN, [accountId])
      return asOpen(rows[0])
    },

    async takeHints(accountId, limit) {
      const { rows } = await pool.query<{ orderId: string; receivedAt: string }>(
        `select order_id as "orderId", received_at::text as "receivedAt" from ticker.postback_hints
         where account_id = $1 order by received_at limit $2`,
        [accountId, limit],
      )
      return rows
    },

    async dropHint(accountId, orderId, receivedAt) {
      // A hint that arrived while the order was being read stays for the next pass.
      await pool.query(
        `delete from ticker.postback_hints where account_id = $1 and order_id = $2 and received_at <= $3`,
        [accountId, orderId, receivedAt],
      )
    },
  }
}

/** One statement may touch a row once: of several updates of one order, the furthest counts. */
function lastPerOrder(orders: KiteOrder[]): KiteOrder[] {
  const latest = new Map<string, KiteOrder>()
  for (const order of orders) {
    const known = latest.get(order.order_id)
    if (!known || isFurther(order, known)) latest.set(order.order_id, order)
  }
  return [...latest.values()]
}

function isFurther(candidate: KiteOrder, known: KiteOrder): boolean {
  const byRank = statusRank(candidate.status) - statusRank(known.status)
  if (statusRank(known.status) === TERMINAL_RANK || statusRank(candidate.status) === TERMINAL_RANK)
    return byRank > 0
  return (
    brokerUpdatedMs(candidate) - brokerUpdatedMs(known) > 0 ||
    (brokerUpdatedMs(candidate) === brokerUpdatedMs(known) && byRank >= 0)
  )
}

function asRow(order: KiteOrder) {
  return {
    order_id: order.order_id,
    status: order.status,
    status_rank: statusRank(order.status),
    status_message: order.status_message ?? null,
    exchange: order.exchange,
    tradingsymbol: order.tradingsymbol,
    transaction_type: order.transaction_type,
    quantity: order.quantity,
    filled_quantity: order.filled_quantity,
    average_price: order.average_price,
    updated_ms: brokerUpdatedMs(order),
    broker_order: order,
  }
}
