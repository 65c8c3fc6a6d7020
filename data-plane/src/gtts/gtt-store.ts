// The broker's GTTs as its list shows them, one row each, and what became of them as events of the account.

import { parseBrokerTime } from '@ticker/shared/domain'
import type { KiteGtt } from '@ticker/shared/kite-http'
import type pg from 'pg'
import { LOG_HAPPENED } from '../orders/event-log.ts'

export interface MergedGtts {
  /** Whose status is another than before. */
  changed: { triggerId: string; status: string; orderId: string | null }[]
  active: number
  /** Placed by a write of ours. */
  taken: Set<string>
}

export interface GttStore {
  /** `whole`: every row could be read, and what is active here and not among them is gone. */
  merge(accountId: string, gtts: readonly KiteGtt[], whole: boolean): Promise<MergedGtts>
}

const MERGE = `
  with incoming as (
    select r.* from jsonb_to_recordset($2::jsonb) as r(trigger_id text, status text, order_id text, created_ms float8,
      updated_ms float8, expires_ms float8, broker_gtt jsonb)),
  known as materialized (select trigger_id, status from ticker.gtts where account_id = $1),
  merged as (
    insert into ticker.gtts as g (account_id, trigger_id, status, broker_gtt, write_id, created_at, updated_at, expires_at)
    select $1, n.trigger_id, n.status, n.broker_gtt,
      (select w.id from ticker.account_writes w where w.account_id = $1 and w.kind = 'gtt_place' and w.state = 'ACCEPTED'
        and w.trigger_id = n.trigger_id limit 1),
      to_timestamp(n.created_ms / 1000), to_timestamp(n.updated_ms / 1000), to_timestamp(n.expires_ms / 1000)
    from incoming n
    on conflict (account_id, trigger_id) do update set status = excluded.status, broker_gtt = excluded.broker_gtt,
      write_id = coalesce(g.write_id, excluded.write_id), updated_at = excluded.updated_at, expires_at = excluded.expires_at,
      seen_at = now()
    where g.status <> excluded.status or g.broker_gtt <> excluded.broker_gtt or g.seen_at < now() - interval '1 minute'
    returning g.trigger_id, g.status),
  gone as (
    update ticker.gtts g set status = 'deleted' where g.account_id = $1 and g.status = 'active' and $3::boolean
      and not exists (select from incoming n where n.trigger_id = g.trigger_id)
    returning g.trigger_id, g.status),
  changed as (
    select m.trigger_id, m.status, n.order_id, n.broker_gtt, k.status as was from merged m
      join incoming n using (trigger_id) left join known k using (trigger_id)
      where m.status is distinct from k.status and (k.status is not null or m.status = 'active')
    union all select trigger_id, status, null, null, 'active' from gone),
  happened as (
    select $1::text as account_id, null::text as intent_id, order_id, 'gtt.' || status as kind,
      jsonb_strip_nulls(jsonb_build_object('trigger_id', trigger_id, 'was', was,
        'results', (select jsonb_agg(o->'result'->'order_result') from jsonb_array_elements(broker_gtt->'orders') o
          where o->'result'->'order_result' is not null))) as detail
    from changed), ${LOG_HAPPENED}
  select trigger_id, status, order_id from changed`

const TAKEN = `select count(*) filter (where status = 'active')::int as active,
  coalesce(jsonb_agg(trigger_id) filter (where write_id is not null), '[]') as taken from ticker.gtts where account_id = $1`

export function createGttStore(pool: pg.Pool): GttStore {
  return {
    async merge(accountId, gtts, whole) {
      const incoming = gtts.map((gtt) => ({
        ...{ trigger_id: gtt.id, status: gtt.status, order_id: orderIdOf(gtt), broker_gtt: gtt },
        created_ms: parseBrokerTime(gtt.created_at) ?? null,
        updated_ms: parseBrokerTime(gtt.updated_at) ?? null,
        expires_ms: parseBrokerTime(gtt.expires_at) ?? null,
      }))
      const { rows } = await pool.query<{ trigger_id: string; status: string; order_id: string | null }>(
        MERGE,
        [accountId, JSON.stringify(incoming), whole],
      )
      const known = await pool.query<{ active: number; taken: string[] }>(TAKEN, [accountId])
      return {
        changed: rows.map((row) => ({
          triggerId: row.trigger_id,
          status: row.status,
          orderId: row.order_id,
        })),
        active: known.rows[0]?.active ?? 0,
        taken: new Set(known.rows[0]?.taken),
      }
    },
  }
}

/** Of the order that it placed. */
function orderIdOf({ orders }: KiteGtt): string | null {
  const ids = orders.flatMap(({ result }) => result?.order_result?.order_id || [])
  return ids[0] ?? null
}
