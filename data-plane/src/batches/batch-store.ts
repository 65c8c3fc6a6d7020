// The rows of batches, and what a batch stores: its legs, their cancels and what reverses them. Each write is one
// statement that only the owner's epoch and the right state pass, and that does nothing the second time.
import {
  BATCHES_LIVE_MAX,
  type BatchUnwind,
  batchCancelKey,
  batchLegKey,
  batchUnwindKey,
  brokerTag,
  newId,
  type PlaceBatch,
  type PlaceOrder,
} from '@ticker/shared/domain'
import type pg from 'pg'
import { LOG_HAPPENED } from '../orders/event-log.ts'
import { OWNED, type Owner } from '../orders/owned-sql.ts'
import type { IntentRow } from './leg-view.ts'

export interface StoredBatch {
  id: string
  accountId: string
  state: 'RUNNING' | 'STOPPING'
  unwind: BatchUnwind
  stopRequested: boolean
  ageS: number
  request: PlaceBatch
  createdBy: string
  intents: IntentRow[]
}

export interface BatchStore {
  live(accountId: string): Promise<StoredBatch[]>
  /** false: it is there already, or the batch may not go on. */
  place(batch: StoredBatch, leg: number, owner: Owner): Promise<boolean>
  squareOff(batch: StoredBatch, leg: number, quantity: number, owner: Owner): Promise<boolean>
  dropUnsent(batch: StoredBatch, legs: number[], owner: Owner): Promise<boolean>
  cancel(batch: StoredBatch, leg: number, owner: Owner): Promise<boolean>
  /** Once for each batch. */
  sayResting(batch: StoredBatch, legs: number[], owner: Owner): Promise<boolean>
  move(batch: StoredBatch, to: BatchMove, owner: Owner): Promise<boolean>
}

export type BatchMove =
  | { state: 'STOPPING'; code: string; reason: string }
  | { state: 'DONE' | 'STOPPED'; unwindFailure?: string }

export function createBatchStore(pool: pg.Pool): BatchStore {
  /** `states`: of the batch, in which such an order may be stored; who stops it meets this at its row. */
  async function store(batch: StoredBatch, key: string, request: PlaceOrder, state: string, owner: Owner) {
    const { rows } = await pool.query<{ id: string }>(
      `with ${OWNED}, may as materialized (
         select b.id, b.account_id, b.created_by from ticker.batches b join owned on owned.id = b.account_id
         where b.id = $4 and b.state = $5 and (b.state = 'STOPPING' or b.stop_requested_at is null) for share of b),
       inserted as (
         insert into ticker.order_intents
           (id, account_id, idempotency_key, request_sha256, request, tag, client_tag, deadline, batch_id, created_by)
         select $6, may.account_id, $7, encode(sha256(convert_to($8, 'UTF8')), 'hex'), $8::jsonb, $9, $10,
           now() + $11::int * interval '1 second', may.id, may.created_by
         from may on conflict (account_id, idempotency_key) do nothing returning account_id, id),
       happened as (
         select account_id, id as intent_id, null::text as order_id, 'intent.queued' as kind,
           jsonb_build_object('batch_id', $4::text) as detail from inserted), ${LOG_HAPPENED}
       select id from inserted`,
      [
        ...[batch.accountId, owner.instanceId, owner.epoch, batch.id, state, newId('ord'), key],
        ...[JSON.stringify(request), brokerTag(request.tag), request.tag ?? null, request.expires_in_s],
      ],
    )
    return rows.length === 1
  }

  return {
    async live(accountId) {
      const { rows } = await pool.query<{ batch: StoredBatch }>(
        `select jsonb_build_object('id', b.id, 'accountId', b.account_id, 'state', b.state, 'unwind', b.unwind,
           'stopRequested', b.stop_requested_at is not null, 'ageS', extract(epoch from now() - b.created_at),
            'request', b.request, 'createdBy', b.created_by,
           'intents', coalesce((select jsonb_agg(jsonb_build_object('key', o.idempotency_key, 'id', o.id, 'state', o.state,
               'reason', o.reason, 'quantity', (o.request->>'quantity')::int,
               'age_s', extract(epoch from now() - o.created_at),
               'cancel_failed', exists (select from ticker.order_changes c where c.account_id = o.account_id
                 and c.idempotency_key = o.idempotency_key || ':cancel' and c.state in ('REJECTED', 'REFUSED', 'EXPIRED', 'RELEASED')),
               'sent_s', coalesce(extract(epoch from now() - o.sending_at), 0),
               'orders', coalesce((select jsonb_agg(jsonb_build_object('status', r.status, 'filled', r.filled_quantity,
                   'status_message', r.status_message))
                 from ticker.orders r where r.intent_id = o.id), '[]'::jsonb)))
             from ticker.order_intents o where o.batch_id = b.id), '[]'::jsonb)) as batch
         from ticker.batches b where b.account_id = $1 and b.state in ('RUNNING', 'STOPPING')
         order by b.created_at limit ${BATCHES_LIVE_MAX}`,
        [accountId],
      )
      return rows.map(({ batch }) => batch)
    },

    async place(batch, leg, owner) {
      const request = batch.request.legs[leg]
      return request !== undefined && store(batch, batchLegKey(batch.id, leg), request, 'RUNNING', owner)
    },

    async squareOff(batch, leg, quantity, owner) {
      const request = batch.request.legs[leg]
      if (!request) return false
      return store(batch, batchUnwindKey(batch.id, leg), reversed(request, quantity), 'STOPPING', owner)
    },

    async dropUnsent(batch, legs, owner) {
      const { rowCount } = await pool.query(
        `with ${OWNED} update ticker.order_intents o
           set cancel_requested_at = coalesce(o.cancel_requested_at, now()), updated_at = now()
         from owned where o.account_id = owned.id and o.batch_id = $4 and o.state = 'QUEUED' and o.idempotency_key = any($5)
           and o.cancel_requested_at is null`,
        [
          ...[batch.accountId, owner.instanceId, owner.epoch, batch.id],
          legs.map((leg) => batchLegKey(batch.id, leg)),
        ],
      )
      return rowCount !== 0
    },

    async cancel(batch, leg, owner) {
      const { rows } = await pool.query<{ id: string }>(
        `with ${OWNED}, leg as (
           select o.* from ticker.order_intents o join owned on owned.id = o.account_id
           where o.idempotency_key = $6 and o.batch_id = $4),
         inserted as (
           insert into ticker.order_changes (id, account_id, idempotency_key, request_sha256, kind, intent_id, created_by)
           select $5, leg.account_id, $7, '', 'cancel', leg.id, leg.created_by from leg
           on conflict (account_id, idempotency_key) do nothing returning id, account_id, intent_id),
         asked as (
           update ticker.order_intents o set cancel_requested_at = coalesce(o.cancel_requested_at, now()), updated_at = now()
           from inserted n where o.id = n.intent_id),
         happened as (
           select account_id, intent_id, null::text as order_id, 'cancel.queued' as kind,
             jsonb_build_object('change_id', id, 'batch_id', $4::text) as detail from inserted), ${LOG_HAPPENED}
         select id from inserted`,
        [
          ...[batch.accountId, owner.instanceId, owner.epoch, batch.id, newId('chg')],
          ...[batchLegKey(batch.id, leg), batchCancelKey(batch.id, leg)],
        ],
      )
      return rows.length === 1
    },

    async sayResting(batch, legs, owner) {
      const { rowCount } = await pool.query(
        `with ${OWNED}, happened as (
           select o.account_id, o.id as intent_id, null::text as order_id, 'batch.unwind_resting' as kind,
             jsonb_build_object('batch_id', b.id, 'legs', $6::jsonb) as detail
           from ticker.order_intents o join owned on owned.id = o.account_id
           join ticker.batches b on b.id = o.batch_id and b.state = 'STOPPING'
           where b.id = $4 and o.idempotency_key = $5
             and not exists (select from ticker.order_intents own join ticker.order_events e on e.intent_id = own.id
               where own.batch_id = b.id and e.kind = 'batch.unwind_resting')), ${LOG_HAPPENED}
         select 1 from happened`,
        [
          ...[batch.accountId, owner.instanceId, owner.epoch, batch.id],
          ...[batchUnwindKey(batch.id, legs[0] ?? 0), JSON.stringify(legs)],
        ],
      )
      return rowCount !== 0
    },

    async move(batch, to, owner) {
      const stop = to.state === 'STOPPING' ? to : undefined
      const failure = to.state === 'STOPPING' ? undefined : to.unwindFailure
      const { rows } = await pool.query<{ id: string }>(
        `with ${OWNED}, moved as (
           update ticker.batches b set state = $6, reason_code = coalesce($7, b.reason_code), updated_at = now(),
             reason = coalesce($8, b.reason), unwind_failure = $9
           from owned where b.id = $4 and b.account_id = owned.id and b.state = $5
             -- A stop that was asked for just now is seen first.
             and ($6 <> 'DONE' or b.stop_requested_at is null)
           returning b.id, b.account_id, b.state, b.reason_code, b.reason, b.unwind_failure),
         happened as (
           select account_id, null::text as intent_id, null::text as order_id, 'batch.' || lower(state) as kind,
             jsonb_build_object('batch_id', id, 'code', reason_code, 'reason', reason, 'unwind_failure', unwind_failure) as detail
           from moved), ${LOG_HAPPENED}
         select id from moved`,
        [
          ...[batch.accountId, owner.instanceId, owner.epoch, batch.id, batch.state, to.state],
          ...[stop?.code ?? null, stop?.reason ?? null, failure ?? null],
        ],
      )
      return rows.length === 1
    },
  }
}

/** At the market within the broker's own band; refused rather than opening anything. */
function reversed(leg: PlaceOrder, quantity: number): PlaceOrder {
  const { account_id, variety, exchange, tradingsymbol, product, tag, strategy, expires_in_s } = leg
  return {
    ...{ account_id, variety, exchange, tradingsymbol, product, quantity, expires_in_s },
    ...{ order_type: 'MARKET', market_protection: -1, validity: 'DAY', reduce_only: true },
    transaction_type: leg.transaction_type === 'BUY' ? 'SELL' : 'BUY',
    ...(tag === undefined ? {} : { tag }),
    ...(strategy === undefined ? {} : { strategy }),
  }
}
