// Our own record of an account, as far as a report compares it: today's orders, and whatever the broker's book names.
import type { ExternalOrder, FoundOrder, Listed } from '@ticker/shared/domain'
import { RECONCILIATION_ITEMS_MAX } from '@ticker/shared/domain'
import type pg from 'pg'
import type { OurIntent, OurOrder, OurRecord } from './compare.ts'

/** Events that are looked through for what was found; before a first report, and after a long time without one. */
const EVENTS_MAX = 20_000

/** What happened since the report before. */
export interface Since {
  external: Listed<ExternalOrder>
  found: Listed<FoundOrder>
  /** Up to here; the next report begins after it. */
  eventSeq: number
}

export interface OurRecords {
  read(accountId: string, dayFromMs: number, bookIds: readonly string[]): Promise<OurRecord>
  since(accountId: string, dayFromMs: number): Promise<Since>
}

const INTENT = `'intent_id', i.id, 'order_id', %s, 'exchange', i.request->>'exchange',
  'tradingsymbol', i.request->>'tradingsymbol', 'product', i.request->>'product'`
const json = (fields: string, from: string) =>
  `(select coalesce(jsonb_agg(jsonb_build_object(${fields})), '[]'::jsonb) ${from})`

export function createOurRecords(pool: pg.Pool): OurRecords {
  return {
    async read(accountId, dayFromMs, bookIds) {
      const { rows } = await pool.query<{ orders: OurOrder[]; unseen: OurIntent[]; in_doubt: OurIntent[] }>(
        `select ${json(
          `'order_id', r.order_id, 'intent_id', r.intent_id, 'exchange', r.exchange, 'tradingsymbol', r.tradingsymbol,
           'product', coalesce(r.broker_order->>'product', ''), 'transaction_type', r.transaction_type, 'status', r.status,
           'filled_quantity', r.filled_quantity, 'average_price', r.average_price`,
          `from ticker.orders r where r.account_id = $1
             and (r.broker_updated_at >= to_timestamp($2::float8 / 1000) or r.order_id = any($3::text[]))`,
        )} as orders,
        ${json(
          INTENT.replace('%s', 'l.order_id'),
          `from ticker.order_intents i join ticker.intent_orders l on l.intent_id = i.id
           where i.account_id = $1 and i.state = 'ACCEPTED' and i.sending_at >= to_timestamp($2::float8 / 1000)
             and not exists (select from ticker.orders r where r.account_id = l.account_id and r.order_id = l.order_id)`,
        )} as unseen,
        ${json(
          INTENT.replace('%s', 'null'),
          `from ticker.order_intents i where i.account_id = $1 and i.state = 'UNKNOWN'`,
        )} as in_doubt`,
        [accountId, dayFromMs, bookIds],
      )
      const [row] = rows
      return { orders: row?.orders ?? [], unseen: row?.unseen ?? [], inDoubt: row?.in_doubt ?? [] }
    },

    async since(accountId, dayFromMs) {
      const { rows } = await pool.query<SinceRow>(
        `with a as (select event_seq from ticker.accounts where id = $1),
         last as (select event_seq, finished_at from ticker.reconciliations
           where account_id = $1 and state = 'DONE' order by finished_at desc limit 1),
         external as (
           select r.* from ticker.orders r where r.account_id = $1 and r.intent_id is null
             and r.broker_updated_at >= to_timestamp($2::float8 / 1000)
             and r.seen_at > coalesce((select finished_at from last), '-infinity')),
         found as (
           select e.intent_id, e.order_id, e.detail->>'adopted_from' as was from ticker.order_events e
           where e.account_id = $1 and e.kind = 'intent.accepted' and e.detail->>'adopted_from' not in ('SENDING', 'QUEUED')
             and e.seq > greatest((select event_seq from last), (select event_seq from a) - ${EVENTS_MAX}))
         select (select event_seq::float8 from a) as seq,
           (select count(*)::int from external) as externals, (select count(*)::int from found) as founds,
           ${json(
             `'order_id', x.order_id, 'exchange', x.exchange, 'tradingsymbol', x.tradingsymbol,
              'transaction_type', x.transaction_type, 'quantity', x.quantity, 'filled_quantity', x.filled_quantity, 'status', x.status`,
             `from (select * from external order by seen_at limit ${RECONCILIATION_ITEMS_MAX}) x`,
           )} as external,
           ${json(
             `'intent_id', f.intent_id, 'order_id', f.order_id, 'was', f.was`,
             `from (select * from found limit ${RECONCILIATION_ITEMS_MAX}) f`,
           )} as found`,
        [accountId, dayFromMs],
      )
      const [row] = rows
      return {
        external: { items: row?.external ?? [], count: row?.externals ?? 0 },
        found: { items: row?.found ?? [], count: row?.founds ?? 0 },
        eventSeq: row?.seq ?? 0,
      }
    },
  }
}

interface SinceRow {
  seq: number
  externals: number
  founds: number
  external: ExternalOrder[]
  found: FoundOrder[]
}
