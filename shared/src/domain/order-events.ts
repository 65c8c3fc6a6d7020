// What happens to orders: the append-only log of an account, as REST and the stream show it. The SQL is here so that both
// planes say the same of an event.
import { z } from 'zod'
import { accountId } from './accounts.ts'
import { brokerOrder, intentState } from './orders.ts'

export const orderEvent = z
  .object({
    seq: z.int().meta({ description: 'Per account, without gaps in what a cursor sees' }),
    kind: z.string().meta({ example: 'intent.queued' }),
    order_id: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()),
    at: z.string(),
  })
  .meta({ id: 'OrderEvent' })
export type OrderEvent = z.infer<typeof orderEvent>

/** What happened to any order of an account, with that order as it is now. */
export const accountOrderEvent = orderEvent
  .extend({
    account_id: accountId,
    intent_id: z.string().nullable(),
    tag: z.string().nullable().meta({ description: "The caller's tag" }),
    state: intentState.nullable().meta({ description: 'Of our order now; null: placed elsewhere' }),
    broker_order: brokerOrder.nullable().meta({ description: 'As it is now, fills included' }),
  })
  .meta({ id: 'AccountOrderEvent' })

export const accountOrderEvents = z
  .object({
    items: z.array(accountOrderEvent),
    last_seq: z.int().meta({ description: 'Ask for what comes after it next; nothing is left out between' }),
  })
  .meta({ id: 'AccountOrderEvents' })
export type AccountOrderEvents = z.infer<typeof accountOrderEvents>
export type AccountOrderEvent = z.infer<typeof accountOrderEvent>

const isoSql = (column: string) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`
/** A field of the broker's own row, as it is there; absent is null. */
const said = (field: string) => `'${field}', b.broker_order->'${field}'`

/** SQL: what is said of the broker's order `b`, as arguments of jsonb_build_object. */
export const BROKER_ORDER_FIELDS_SQL = `
  'order_id', b.order_id, 'status', b.status, 'status_message', b.status_message, ${said('variety')},
  'parent_order_id', nullif(b.broker_order->>'parent_order_id', ''),
  'exchange', b.exchange, 'tradingsymbol', b.tradingsymbol, 'transaction_type', b.transaction_type,
  ${said('product')}, ${said('order_type')}, ${said('validity')},
  'quantity', b.quantity, ${said('price')}, ${said('trigger_price')},
  'filled_quantity', b.filled_quantity, 'average_price', b.average_price,
  'broker_updated_at', ${isoSql('b.broker_updated_at')}`

/** SQL: JSON of the event `e`, with its order as it is now: needs the joins below. */
export const ACCOUNT_ORDER_EVENT_SQL = `jsonb_build_object(
  'account_id', e.account_id, 'seq', e.seq, 'kind', e.kind, 'order_id', e.order_id, 'intent_id', e.intent_id,
  'detail', e.detail, 'at', ${isoSql('e.at')}, 'tag', o.client_tag, 'state', o.state,
  'broker_order', case when b.order_id is not null then jsonb_build_object(${BROKER_ORDER_FIELDS_SQL}) end)`
export const ACCOUNT_ORDER_EVENT_JOINS_SQL = `
  left join ticker.order_intents o on o.id = e.intent_id
  left join ticker.orders b on b.account_id = e.account_id and b.order_id = coalesce(e.order_id, o.broker_order_id)`
