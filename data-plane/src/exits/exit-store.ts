// The rows of exits, and what an exit stores: its legs, its orders, their new prices and cancels. Each write is one statement
// that only the owner's epoch and the right state pass, and that does nothing the second time.
import {
  brokerTag,
  type ExitLegPlan,
  exitCancelKey,
  exitOrderKey,
  exitRepriceKey,
  newId,
  openOrderSql,
  type PlaceExit,
  type PlaceOrder,
} from '@ticker/shared/domain'
import type pg from 'pg'
import { LOG_HAPPENED } from '../orders/event-log.ts'
import { OWNED, type Owner } from '../orders/owned-sql.ts'
import type { ExitIntent } from './exit-view.ts'

/** Not sent by then, an order or a price is of another market. */
const EXPIRES_IN_S = 15
const LIVE_MAX = 100

export interface StoredExit {
  id: string
  accountId: string
  state: 'RUNNING' | 'STOPPING'
  stopRequested: boolean
  request: PlaceExit
  legs: ExitLegPlan[] | null
  waiting: string | null
  alarmed: boolean
  ageS: number
  intents: ExitIntent[]
}

export interface ExitMove {
  state: 'STOPPING' | 'DONE' | 'STOPPED'
  code?: string
  reason?: string
}

/** Of every write: false, it is there already, or the exit may not go on. */
export interface ExitStore {
  live(accountId: string): Promise<StoredExit[]>
  plan(exit: StoredExit, legs: readonly ExitLegPlan[], owner: Owner): Promise<boolean>
  place(
    exit: StoredExit,
    at: { leg: number; n: number },
    order: { quantity: number; price: number },
    owner: Owner,
  ): Promise<boolean>
  reprice(
    exit: StoredExit,
    at: { leg: number; n: number; move: number },
    price: number,
    owner: Owner,
  ): Promise<boolean>
  cancel(exit: StoredExit, at: { leg: number; n: number }, owner: Owner): Promise<boolean>
  /** Of others, that would close the same position. */
  cancelOthers(exit: StoredExit, leg: number, owner: Owner): Promise<boolean>
  shrink(exit: StoredExit, leg: number, quantity: number, owner: Owner): Promise<boolean>
  waits(exit: StoredExit, waiting: string | undefined, owner: Owner): Promise<void>
  /** Once for each exit. */
  alarm(exit: StoredExit, detail: Record<string, unknown>, owner: Owner): Promise<boolean>
  move(exit: StoredExit, to: ExitMove, owner: Owner): Promise<boolean>
}

export const exitOrder = (
  { request }: Pick<StoredExit, 'request'>,
  { exchange, tradingsymbol, product, transaction_type }: ExitLegPlan,
  { quantity, price }: { quantity: number; price: number },
): PlaceOrder => ({
  ...{
    account_id: request.account_id,
    variety: 'regular',
    exchange,
    tradingsymbol,
    product,
    transaction_type,
  },
  ...{ quantity, price, order_type: 'LIMIT', validity: 'DAY', reduce_only: true, expires_in_s: EXPIRES_IN_S },
  ...(request.tag === undefined ? {} : { tag: request.tag }),
  ...(request.strategy === undefined ? {} : { strategy: request.strategy }),
})

/** `onWritten`: something was appended to the log of orders. */
export function createExitStore(pool: pg.Pool, onWritten: () => void = () => {}): ExitStore {
  const fence = (exit: StoredExit, owner: Owner) => [exit.accountId, owner.instanceId, owner.epoch, exit.id]
  /** `happened`: the CTE of what it did, a row for each event. */
  async function write(ctes: string, parameters: unknown[]): Promise<boolean> {
    const { rowCount } = await pool.query(
      `with ${OWNED}, ${ctes}, ${LOG_HAPPENED} select 1 from happened`,
      parameters,
    )
    if (rowCount === 0) return false
    onWritten()
    return true
  }

  return {
    async live(accountId) {
      const { rows } = await pool.query<{ exit: StoredExit }>(
        `select jsonb_build_object('id', e.id, 'accountId', e.account_id, 'state', e.state, 'request', e.request,
           'legs', e.legs, 'stopRequested', e.stop_requested_at is not null, 'waiting', e.waiting,
           'alarmed', e.alarm_at is not null, 'ageS', extract(epoch from now() - e.created_at),
           'intents', coalesce((select jsonb_agg(jsonb_build_object('id', o.id, 'state', o.state, 'broker_order_id', o.broker_order_id,
               'leg', split_part(o.idempotency_key, ':', 3)::int, 'n', split_part(o.idempotency_key, ':', 4)::int,
               'reason_code', o.reason_code, 'reason', o.reason, 'quantity', (o.request->>'quantity')::int,
               'price', (o.request->>'price')::float8, 'modifies', c.modifies, 'moves', c.moves,
               'change_pending', c.pending, 'cancel_asked', c.cancel_asked,
               'priced_s', extract(epoch from now() - greatest(o.sending_at, o.created_at, c.moved_at)),
               'still_s', extract(epoch from now() - greatest(o.updated_at, r.updated_at)),
               'orders', coalesce(r.orders, '[]'::jsonb)))
             from ticker.order_intents o
             cross join lateral (
               select count(*) filter (where m.kind = 'modify' and m.state not in ('REFUSED', 'REJECTED', 'EXPIRED')) as modifies,
                 count(*) filter (where m.idempotency_key like o.idempotency_key || ':reprice:%') as moves,
                 coalesce(bool_or(m.kind = 'modify' and m.state in ('QUEUED', 'SENDING', 'UNKNOWN')), false) as pending,
                 coalesce(bool_or(m.idempotency_key = o.idempotency_key || ':cancel'), false) as cancel_asked,
                 max(m.updated_at) filter (where m.kind = 'modify') as moved_at
               from ticker.order_changes m where m.intent_id = o.id) c
             cross join lateral (
               select jsonb_agg(jsonb_build_object('status', b.status, 'filled', b.filled_quantity,
                   'price', (b.broker_order->>'price')::float8, 'status_message', b.status_message) order by b.order_id) as orders,
                 max(b.updated_at) as updated_at
               from ticker.orders b where b.account_id = o.account_id and b.intent_id = o.id) r
             where o.exit_id = e.id), '[]'::jsonb)) as exit
         from ticker.exits e where e.account_id = $1 and e.state in ('RUNNING', 'STOPPING')
         order by e.created_at limit ${LIVE_MAX}`,
        [accountId],
      )
      return rows.map((row) => row.exit)
    },

    plan: (exit, legs, owner) =>
      write(
        `planned as (
           update ticker.exits e set legs = $5::jsonb, waiting = null, updated_at = now() from owned
           where e.id = $4 and e.account_id = owned.id and e.state = 'RUNNING' and e.legs is null returning e.account_id),
         happened as (
           select account_id, null::text as intent_id, null::text as order_id, 'exit.planned' as kind,
             jsonb_build_object('exit_id', $4::text, 'legs', $5::jsonb) as detail from planned)`,
        [...fence(exit, owner), JSON.stringify(legs)],
      ),

    async place(exit, { leg, n }, order, owner) {
      const planned = exit.legs?.[leg]
      if (!planned) return false
      const request = exitOrder(exit, planned, order)
      return write(
        `may as materialized (
           select e.id, e.account_id, e.created_by from ticker.exits e join owned on owned.id = e.account_id
           where e.id = $4 and e.state = 'RUNNING' and e.stop_requested_at is null for share of e),
         inserted as (
           insert into ticker.order_intents
             (id, account_id, idempotency_key, request_sha256, request, tag, client_tag, deadline, exit_id, created_by)
           select $5, may.account_id, $6, encode(sha256(convert_to($7, 'UTF8')), 'hex'), $7::jsonb, $8, $9,
             now() + interval '${EXPIRES_IN_S} seconds', may.id, may.created_by
           from may on conflict (account_id, idempotency_key) do nothing returning account_id, id),
         happened as (
           select account_id, id as intent_id, null::text as order_id, 'intent.queued' as kind,
             jsonb_build_object('exit_id', $4::text) as detail from inserted)`,
        [
          ...[...fence(exit, owner), newId('ord'), exitOrderKey(exit.id, leg, n)],
          ...[JSON.stringify(request), brokerTag(request.tag), request.tag ?? null],
        ],
      )
    },

    reprice: (exit, { leg, n, move }, price, owner) =>
      write(
        `may as materialized (
           select e.id, e.account_id from ticker.exits e join owned on owned.id = e.account_id
           where e.id = $4 and e.state = 'RUNNING' and e.stop_requested_at is null for share of e),
         inserted as (
           insert into ticker.order_changes
             (id, account_id, idempotency_key, request_sha256, kind, intent_id, order_id, fields, deadline, created_by)
           select $5, o.account_id, $7, '', 'modify', o.id, o.broker_order_id,
             jsonb_build_object('price', $8::numeric, 'expires_in_s', ${EXPIRES_IN_S}),
             now() + interval '${EXPIRES_IN_S} seconds', o.created_by
           from ticker.order_intents o join may on may.account_id = o.account_id and o.exit_id = may.id
           where o.idempotency_key = $6
           on conflict (account_id, idempotency_key) do nothing returning id, account_id, intent_id, order_id),
         happened as (
           select account_id, intent_id, order_id, 'modify.queued' as kind,
             jsonb_build_object('change_id', id, 'exit_id', $4::text, 'fields', jsonb_build_object('price', $8::numeric)) as detail
           from inserted)`,
        [
          ...[...fence(exit, owner), newId('chg'), exitOrderKey(exit.id, leg, n)],
          ...[exitRepriceKey(exitOrderKey(exit.id, leg, n), move), price],
        ],
      ),

    cancel: (exit, { leg, n }, owner) =>
      write(
        `inserted as (
           insert into ticker.order_changes (id, account_id, idempotency_key, request_sha256, kind, intent_id, created_by)
           select $5, o.account_id, $7, '', 'cancel', o.id, o.created_by
           from ticker.order_intents o join owned on owned.id = o.account_id
           where o.idempotency_key = $6 and o.exit_id = $4
           on conflict (account_id, idempotency_key) do nothing returning id, account_id, intent_id),
         asked as (
           update ticker.order_intents o set cancel_requested_at = coalesce(o.cancel_requested_at, now()), updated_at = now()
           from inserted n where o.id = n.intent_id),
         happened as (
           select account_id, intent_id, null::text as order_id, 'cancel.queued' as kind,
             jsonb_build_object('change_id', id, 'exit_id', $4::text) as detail from inserted)`,
        [
          ...[...fence(exit, owner), newId('chg'), exitOrderKey(exit.id, leg, n)],
          exitCancelKey(exitOrderKey(exit.id, leg, n)),
        ],
      ),

    async cancelOthers(exit, leg, owner) {
      const planned = exit.legs?.[leg]
      if (!planned) return false
      return write(
        `inserted as (
           insert into ticker.order_changes (id, account_id, idempotency_key, request_sha256, kind, intent_id, order_id, created_by)
           select $5::text || '_' || r.order_id, r.account_id, 'exit:' || $4::text || ':other:' || r.order_id, '', 'cancel', r.intent_id, r.order_id, e.created_by
           from ticker.orders r join owned on owned.id = r.account_id join ticker.exits e on e.id = $4
           left join ticker.order_intents o on o.id = r.intent_id
           where r.exchange = $6 and r.tradingsymbol = $7 and r.transaction_type = $8 and r.broker_order->>'product' = $9
             and o.exit_id is null and ${openOrderSql('r')}
             and not exists (select from ticker.order_changes c where c.account_id = r.account_id and c.kind = 'cancel'
               and c.state in ('QUEUED', 'SENDING', 'UNKNOWN', 'ACCEPTED')
               and (c.order_id = r.order_id or (c.order_id is null and c.intent_id = r.intent_id)))
           on conflict (account_id, idempotency_key) do nothing returning id, account_id, intent_id, order_id),
         happened as (
           select account_id, intent_id, order_id, 'cancel.queued' as kind,
             jsonb_build_object('change_id', id, 'exit_id', $4::text) as detail from inserted)`,
        [
          ...[...fence(exit, owner), newId('chg'), planned.exchange, planned.tradingsymbol],
          ...[planned.transaction_type, planned.product],
        ],
      )
    },

    shrink: (exit, leg, quantity, owner) =>
      write(
        `shrunk as (
           update ticker.exits e set legs = jsonb_set(e.legs, array[$5::text, 'quantity'], to_jsonb($6::int)), updated_at = now()
           from owned where e.id = $4 and e.account_id = owned.id and e.state = 'RUNNING'
             and (e.legs->($5::int)->>'quantity')::int > $6::int
           returning e.account_id),
         happened as (
           select account_id, null::text as intent_id, null::text as order_id, 'exit.shrunk' as kind,
             jsonb_build_object('exit_id', $4::text, 'leg', $5::int, 'quantity', $6::int) as detail from shrunk)`,
        [...fence(exit, owner), leg, quantity],
      ),

    async waits(exit, waiting, owner) {
      await pool.query(
        `with ${OWNED} update ticker.exits e set waiting = $5, updated_at = now() from owned
         where e.id = $4 and e.account_id = owned.id and e.state in ('RUNNING', 'STOPPING')`,
        [...fence(exit, owner), waiting ?? null],
      )
    },

    alarm: (exit, detail, owner) =>
      write(
        `alarmed as (
           update ticker.exits e set alarm_at = now(), updated_at = now() from owned
           where e.id = $4 and e.account_id = owned.id and e.state in ('RUNNING', 'STOPPING') and e.alarm_at is null
           returning e.account_id),
         happened as (
           select account_id, null::text as intent_id, null::text as order_id, 'exit.resting' as kind,
             jsonb_build_object('exit_id', $4::text) || $5::jsonb as detail from alarmed)`,
        [...fence(exit, owner), JSON.stringify(detail)],
      ),

    move: (exit, { state, code, reason }, owner) =>
      write(
        `moved as (
           update ticker.exits e set state = $6, reason_code = coalesce($7, e.reason_code), updated_at = now(),
             reason = coalesce($8, e.reason), waiting = null
           from owned where e.id = $4 and e.account_id = owned.id and e.state = $5
             -- A stop that was asked for just now is seen first.
             and ($6 <> 'DONE' or e.stop_requested_at is null)
           returning e.id, e.account_id, e.state, e.reason_code, e.reason),
         happened as (
           select account_id, null::text as intent_id, null::text as order_id, 'exit.' || lower(state) as kind,
             jsonb_build_object('exit_id', id, 'code', reason_code, 'reason', reason) as detail from moved)`,
        [...fence(exit, owner), exit.state, state, code ?? null, reason ?? null],
      ),
  }
}
