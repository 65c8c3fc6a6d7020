// The order book as the broker would show it, of what we know: its own rows with the caller's tags put back, and, of what
// is not at the broker yet or may be, a row that says it was received.
import { brokerTime, type PlaceOrder, placeOrder } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Call } from '../http/call.ts'

export type BookRow = Record<string, unknown>

const row = z.object({
  order_id: z.string().nullable(),
  broker_order: z.record(z.string(), z.unknown()).nullable(),
  intent_id: z.string().nullable(),
  request: placeOrder.nullable().catch(null),
  client_tag: z.string().nullable(),
  instrument_token: z.number().nullable(),
  placed_ms: z.number(),
})
type Row = z.output<typeof row>

/** Of today in India, oldest first; `id`: that order alone, the broker's id or ours. */
export async function readBook(call: Call, accountId: string, id?: string): Promise<BookRow[]> {
  const rows = await call.deps.db.rows(
    row,
    sql`with a as (select a.id from ticker.accounts a where a.id = ${accountId} and a.owner = ${call.actor.owner}),
      today as (select date_trunc('day', now() at time zone 'Asia/Kolkata') at time zone 'Asia/Kolkata' as from_at)
      select * from (
        select r.order_id, r.broker_order, r.intent_id, null::jsonb as request, o.client_tag, null::float8 as instrument_token,
          extract(epoch from coalesce(o.sending_at, r.broker_updated_at))::float8 * 1000 as placed_ms
        from a cross join today join ticker.orders r on r.account_id = a.id
        left join ticker.order_intents o on o.id = r.intent_id
        where r.updated_at >= today.from_at and (${id ?? null}::text is null or r.order_id = ${id ?? null} or r.intent_id = ${id ?? null})
        union all
        select null, null, o.id, o.request, o.client_tag, i.instrument_token::float8, extract(epoch from o.created_at)::float8 * 1000
        from a cross join today join ticker.order_intents o on o.account_id = a.id
        left join ticker.instruments i on i.exchange = o.request->>'exchange' and i.tradingsymbol = o.request->>'tradingsymbol'
        where o.created_at >= today.from_at and (${id ?? null}::text is null or o.id = ${id ?? null})
          and (o.state in ('QUEUED', 'SENDING', 'UNKNOWN')
            or (o.state = 'ACCEPTED' and not exists (select from ticker.orders r where r.intent_id = o.id)))
      ) book order by placed_ms`,
  )
  return rows.map(shown)
}

/** The broker's orders of one of ours that was accepted, the first one first; a broker's id is itself. */
export async function brokerIdOf(call: Call, accountId: string, id: string): Promise<string | undefined> {
  if (!id.startsWith('ord_')) return id
  const [found] = await call.deps.db.rows(
    z.object({ broker_order_id: z.string().nullable() }),
    sql`select o.broker_order_id from ticker.order_intents o join ticker.accounts a on a.id = o.account_id
      where o.id = ${id} and o.account_id = ${accountId} and a.owner = ${call.actor.owner}`,
  )
  return found?.broker_order_id ?? undefined
}

function shown({ broker_order, intent_id, request, client_tag, instrument_token, placed_ms }: Row): BookRow {
  const tags = { tag: client_tag, tags: client_tag === null ? [] : [client_tag] }
  if (broker_order) return intent_id === null ? broker_order : { ...broker_order, ...tags }
  return {
    ...received(request, placed_ms),
    order_id: intent_id,
    instrument_token: instrument_token ?? 0,
    ...tags,
  }
}

/** The broker's own word for an order that it has, and the exchange has not. */
function received(request: PlaceOrder | null, placedMs: number): BookRow {
  return {
    ...{ status: 'PUT ORDER REQ RECEIVED', status_message: null, status_message_raw: null, placed_by: '' },
    ...{
      exchange_order_id: null,
      parent_order_id: null,
      exchange_timestamp: null,
      modified: false,
      guid: null,
    },
    ...{ order_timestamp: brokerTime(placedMs), exchange_update_timestamp: null, meta: {} },
    ...{
      variety: request?.variety ?? 'regular',
      exchange: request?.exchange,
      tradingsymbol: request?.tradingsymbol,
    },
    ...{ order_type: request?.order_type, transaction_type: request?.transaction_type },
    ...{ validity: request?.validity ?? 'DAY', validity_ttl: request?.validity_ttl ?? 0 },
    ...{
      product: request?.product,
      quantity: request?.quantity ?? 0,
      pending_quantity: request?.quantity ?? 0,
    },
    ...{ disclosed_quantity: request?.disclosed_quantity ?? 0, price: request?.price ?? 0 },
    ...{ trigger_price: request?.trigger_price ?? 0, average_price: 0, filled_quantity: 0 },
    ...{ cancelled_quantity: 0, market_protection: request?.market_protection ?? 0, auction_number: null },
  }
}
