// The intent rows and their transitions. Each transition is one statement: a conditional UPDATE that only the right
// state (and epoch, and attempt) passes, with its event appended in the same commit. No row: it did not happen.
import {
  CANCELLED_UNSENT,
  ERROR_CODES,
  type IntentState,
  type PlaceOrder,
  type RiskDecision,
} from '@ticker/shared/domain'
import type pg from 'pg'
import { CANCEL_AGAIN } from './cancel-again.ts'
import { claimedBy, unclaimSql } from './claims.ts'
import { LOG_HAPPENED } from './event-log.ts'
import type { Slices } from './verdict.ts'

export interface Intent {
  id: string
  tag: string
  request: PlaceOrder
  createdMs: number
  /** How often it was claimed before: above 0, an earlier sending may be at the broker. */
  attempts: number
  /** A person wants it gone: it is not sent, whatever else. */
  cancelRequested: boolean
}

export interface UnknownIntent {
  id: string
  reads: number
}

/** Who sends: the fence of every act. */
export interface Sender {
  accountId: string
  instanceId: string
  epoch: number
  sessionVersion: number
}

/** Names one sending of one intent; a later sending of the same intent has a higher attempt. */
export interface Claim {
  intentId: string
  epoch: number
  attempt: number
}

export type Settlement =
  | { state: 'ACCEPTED'; orderIds: string[]; slices?: Slices }
  | { state: 'REJECTED' | 'NEEDS_AUTHORISATION'; code: string; reason: string; slices?: Slices }
  | {
      state: 'UNKNOWN'
      code: string
      reason: string
      firstReadMs: number
      orderIds?: string[]
      slices?: Slices
    }
  | { state: 'QUEUED'; reason: string; retryAfterMs: number }

export interface IntentStore {
  due(accountId: string, limit: number): Promise<Intent[]>
  /** `isWritten`: it was sent, whatever its row says. */
  expireOverdue(accountId: string, isWritten: (intentId: string) => boolean): Promise<string[]>
  refuse(
    accountId: string,
    intentId: string,
    code: string,
    reason: string,
    decision?: RiskDecision,
  ): Promise<boolean>
  /** Cancelled before it was sent, if a person asked for that. */
  cancelUnsent(accountId: string, intentId: string): Promise<boolean>
  /** Refused with the account's gate reason, if its gate is closed now. */
  refuseIfGated(accountId: string, intentId: string): Promise<boolean>
  /** `decision`: of the risk gate, kept with the event. */
  claim(intentId: string, sender: Sender, decision?: RiskDecision): Promise<Claim | undefined>
  /** What this epoch has claimed and not settled. */
  claimedBy(accountId: string, epoch: number): Promise<Claim[]>
  /** A claim after which nothing was written (its commit was not confirmed): back to QUEUED. */
  unclaim(claim: Claim): Promise<boolean>
  settle(claim: Claim, settlement: Settlement): Promise<boolean>
  /** SENDING by an older epoch: its sender is gone, what it did is not known. */
  orphansToUnknown(accountId: string, epoch: number): Promise<string[]>
  unknownDue(accountId: string): Promise<UnknownIntent[]>
  unknownSummary(
    accountId: string,
  ): Promise<{ count: number; oldestMs: number; nextReadMs: number | undefined }>
  /** A whole book was read that does not show it. */
  unknownRead(intentId: string, nextReadMs: number): Promise<void>
  /** As the broker counts: each leg of an iceberg in the day (KITE.md 2.2). */
  counts(accountId: string): Promise<{ today: number; lastMinute: number }>
  closeGate(accountId: string, reason: string): Promise<void>
}

/** The answer to an attempt settles that attempt, also when it came after a new epoch had put it in doubt. */
const IN_DOUBT: IntentState[] = ['SENDING', 'UNKNOWN']

/** Appends one event per row of CTE `changed` (account_id, id, kind, detail). */
const LOG_CHANGED = `
  happened as (select account_id, id as intent_id, null::text as order_id, kind, detail from changed), ${LOG_HAPPENED}`

export function createIntentStore(pool: pg.Pool): IntentStore {
  async function changedIds(sql: string, parameters: unknown[]): Promise<string[]> {
    const { rows } = await pool.query<{ id: string }>(
      `${sql}, ${LOG_CHANGED} select id from changed`,
      parameters,
    )
    return rows.map((row) => row.id)
  }

  async function move(
    claim: Claim,
    from: IntentState[],
    to: IntentState,
    set: string,
    values: unknown[],
    detail: unknown,
  ) {
    // A database that lost the claim shows QUEUED and fewer attempts, and may have let a person cancel it: the sending
    // happened all the same.
    const lostClaim =
      to === 'QUEUED'
        ? 'false'
        : `(o.state = 'QUEUED' and o.attempts <= $5) or (o.state = 'CANCELLED' and o.attempts < $5)`
    const changed = await changedIds(
      `with changed as (
         update ticker.order_intents o set state = $2, sending_epoch = $4, attempts = $5,
           sending_at = coalesce(o.sending_at, now()), updated_at = now()${set}
         where o.id = $1 and ((o.state = any($3::text[]) and o.sending_epoch = $4 and o.attempts = $5) or (${lostClaim}))
         returning o.account_id, o.id, 'intent.' || lower($2) as kind, $6::jsonb as detail)`,
      [claim.intentId, to, from, claim.epoch, claim.attempt, JSON.stringify(detail), ...values],
    )
    return changed.length === 1
  }

  return {
    async due(accountId, limit) {
      const { rows } = await pool.query<{
        id: string
        tag: string
        request: PlaceOrder
        created_ms: string
        attempts: number
        cancel_requested: boolean
      }>(
        `select id, tag, request, attempts, cancel_requested_at is not null as cancel_requested, extract(epoch from created_at) * 1000 as created_ms from ticker.order_intents
         where account_id = $1 and state = 'QUEUED' and deadline > now() and (not_before is null or not_before <= now())
         order by created_at, id limit $2`,
        [accountId, limit],
      )
      return rows.map(({ created_ms, cancel_requested, ...row }) => ({
        ...row,
        createdMs: Number(created_ms),
        cancelRequested: cancel_requested,
      }))
    },

    async expireOverdue(accountId, isWritten) {
      const { rows } = await pool.query<{ id: string }>(
        `select id from ticker.order_intents where account_id = $1 and state = 'QUEUED' and deadline <= now()`,
        [accountId],
      )
      const ids = rows.map(({ id }) => id).filter((id) => !isWritten(id))
      if (ids.length === 0) return []
      return changedIds(
        `with changed as (
           update ticker.order_intents o set state = 'EXPIRED', reason_code = 'deadline_passed',
             reason = 'Not sent before its deadline.', updated_at = now()
           where o.id = any($1) and o.state = 'QUEUED'
           returning o.account_id, o.id, 'intent.expired' as kind, '{}'::jsonb as detail)`,
        [ids],
      )
    },

    async refuse(accountId, intentId, code, reason, decision) {
      const changed = await changedIds(
        `with changed as (
           update ticker.order_intents o set state = 'REFUSED', reason_code = $3, reason = $4, updated_at = now()
           where o.account_id = $1 and o.id = $2 and o.state = 'QUEUED'
           returning o.account_id, o.id, 'intent.refused' as kind, jsonb_strip_nulls(jsonb_build_object('code', $3::text, 'reason', $4::text, 'decision', $5::jsonb)) as detail)`,
        [accountId, intentId, code, reason, decision ? JSON.stringify(decision) : null],
      )
      return changed.length === 1
    },

    async cancelUnsent(accountId, intentId) {
      const changed = await changedIds(
        `with changed as (
           update ticker.order_intents o set state = 'CANCELLED', reason_code = 'cancel_requested', reason = $3, updated_at = now()
           where o.account_id = $1 and o.id = $2 and o.state = 'QUEUED' and o.cancel_requested_at is not null
           returning o.account_id, o.id, 'intent.cancelled' as kind, '{}'::jsonb as detail)`,
        [accountId, intentId, CANCELLED_UNSENT],
      )
      return changed.length === 1
    },

    async refuseIfGated(accountId, intentId) {
      const changed = await changedIds(
        `with changed as (
           update ticker.order_intents o set state = 'REFUSED', updated_at = now(),
             reason_code = case when a.trading then 'order_gate_closed' else 'trading_not_enabled' end,
             reason = case when a.trading then a.order_gate_reason else $3 end
           from ticker.accounts a
           where o.account_id = $1 and o.id = $2 and o.state = 'QUEUED'
             and a.id = o.account_id and (a.order_gate_reason is not null or not a.trading)
           returning o.account_id, o.id, 'intent.refused' as kind,
             jsonb_build_object('code', o.reason_code, 'reason', o.reason) as detail)`,
        [accountId, intentId, ERROR_CODES.trading_not_enabled.title],
      )
      return changed.length === 1
    },

    async claim(intentId, sender, decision) {
      const { rows } = await pool.query<{ id: string; attempts: number }>(
        `with changed as (
           update ticker.order_intents o set state = 'SENDING', sending_epoch = $3, sending_at = now(),
             session_version = $4, attempts = o.attempts + 1, reason_code = null, reason = null, updated_at = now()
           from ticker.accounts a, ticker.instances n, ticker.fleet f, ticker.sessions s
           where o.id = $1 and o.state = 'QUEUED' and o.deadline > now() and o.cancel_requested_at is null
             and a.id = o.account_id and a.status = 'active' and a.owner_instance_id = $2 and a.owner_epoch = $3
             and a.session_version = $4 and s.account_id = a.id and s.version = $4 and s.status = 'active'
             and s.expires_at > now() and a.trading_state <> 'HALTED' and f.trading_state <> 'HALTED'
             and a.order_gate_reason is null and a.trading and n.id = $2 and n.epoch = $3 and n.lease_until > now()
           returning o.account_id, o.id, o.attempts, 'intent.sending' as kind,
             jsonb_build_object('epoch', $3::bigint, 'attempt', o.attempts)
               || case when $5::jsonb is null then '{}' else jsonb_build_object('decision', $5::jsonb) end as detail), ${LOG_CHANGED}
         select id, attempts from changed`,
        [
          intentId,
          sender.instanceId,
          sender.epoch,
          sender.sessionVersion,
          decision ? JSON.stringify(decision) : null,
        ],
      )
      const [row] = rows
      return row ? { intentId: row.id, epoch: sender.epoch, attempt: row.attempts } : undefined
    },

    claimedBy: (accountId, epoch) => claimedBy(pool, 'order_intents', accountId, epoch),

    async unclaim({ intentId, epoch, attempt }) {
      const changed = await changedIds(
        `with changed as (${unclaimSql('order_intents', `c.account_id, c.id, 'intent.queued' as kind`)})`,
        [intentId, epoch, attempt],
      )
      return changed.length === 1
    },

    async settle(claim, settlement) {
      // First, and whatever the state has become meanwhile: an order id that the broker gave must not be lost.
      if ('slices' in settlement) await noteSlices(pool, claim, settlement)
      switch (settlement.state) {
        case 'ACCEPTED':
          return accept(pool, claim, settlement.orderIds)
        case 'QUEUED':
          return move(
            claim,
            IN_DOUBT,
            'QUEUED',
            `, not_before = now() + $7::float8 * interval '1 millisecond', reason = $8`,
            [settlement.retryAfterMs, settlement.reason],
            { reason: settlement.reason },
          )
        case 'UNKNOWN':
          return move(
            claim,
            ['SENDING'],
            'UNKNOWN',
            `, next_read_at = now() + $7::float8 * interval '1 millisecond', reads = 0, absent_since = null, reason_code = $8, reason = $9`,
            [settlement.firstReadMs, settlement.code, settlement.reason],
            { reason: settlement.reason },
          )
        default:
          return move(
            claim,
            IN_DOUBT,
            settlement.state,
            ', reason_code = $7, reason = $8',
            [settlement.code, settlement.reason],
            { code: settlement.code, reason: settlement.reason },
          )
      }
    },

    orphansToUnknown: (accountId, epoch) =>
      changedIds(
        `with changed as (
           update ticker.order_intents o set state = 'UNKNOWN', next_read_at = now(), reads = 0, absent_since = null,
             reason_code = 'outcome_unknown', reason = 'The process that sent it is gone.', updated_at = now()
           where o.account_id = $1 and o.state = 'SENDING' and o.sending_epoch <> $2
           returning o.account_id, o.id, 'intent.unknown' as kind, jsonb_build_object('epoch', o.sending_epoch) as detail)`,
        [accountId, epoch],
      ),

    async unknownDue(accountId) {
      const { rows } = await pool.query<UnknownIntent>(
        `select id, reads from ticker.order_intents
         where account_id = $1 and state = 'UNKNOWN' and next_read_at <= now() order by created_at limit 1000`,
        [accountId],
      )
      return rows
    },

    async unknownSummary(accountId) {
      const { rows } = await pool.query<{ n: number; oldest_ms: string | null; next_ms: string | null }>(
        `select count(*)::int as n, extract(epoch from now() - min(sending_at)) * 1000 as oldest_ms,
           extract(epoch from min(next_read_at) - now()) * 1000 as next_ms
         from ticker.order_intents where account_id = $1 and state = 'UNKNOWN'`,
        [accountId],
      )
      const [row] = rows
      return {
        count: row?.n ?? 0,
        oldestMs: Number(row?.oldest_ms ?? 0),
        nextReadMs: row?.next_ms == null ? undefined : Math.max(0, Number(row.next_ms)),
      }
    },

    async unknownRead(intentId, nextReadMs) {
      await pool.query(
        `update ticker.order_intents set reads = reads + 1, next_read_at = now() + $2::float8 * interval '1 millisecond',
           absent_since = coalesce(absent_since, now()), absent_until = now()
         where id = $1 and state = 'UNKNOWN'`,
        [intentId, nextReadMs],
      )
    },

    async counts(accountId) {
      const { rows } = await pool.query<{ today: number; last_minute: number }>(
        `select coalesce(sum(coalesce((request->>'iceberg_legs')::int, 1)), 0)::int as today, count(*) filter (where sending_at > now() - interval '1 minute')::int as last_minute
         from ticker.order_intents where account_id = $1
         and sending_at >= date_trunc('day', now() at time zone 'Asia/Kolkata') at time zone 'Asia/Kolkata'`,
        [accountId],
      )
      return { today: rows[0]?.today ?? 0, lastMinute: rows[0]?.last_minute ?? 0 }
    },

    async closeGate(accountId, reason) {
      await pool.query(
        `update ticker.accounts set order_gate_reason = $2, updated_at = now() where id = $1`,
        [accountId, reason],
      )
    },
  }
}

const LINKED = `
  linked as (
    insert into ticker.intent_orders (account_id, order_id, intent_id)
    select o.account_id, unnest($2::text[]), o.id from ticker.order_intents o where o.id = $1
    on conflict do nothing returning account_id, order_id, intent_id),
  attached as (
    update ticker.orders r set intent_id = l.intent_id from linked l
    where r.account_id = l.account_id and r.order_id = l.order_id and r.intent_id is null),
  ${CANCEL_AGAIN}`

async function noteSlices(
  pool: pg.Pool,
  claim: Claim,
  { orderIds = [], slices }: { orderIds?: string[]; slices?: Slices },
) {
  await pool.query(
    `with noted as (update ticker.order_intents set slices = $3, updated_at = now() where id = $1), ${LINKED},
     happened as (select * from cancel_again), ${LOG_HAPPENED} select`,
    [claim.intentId, orderIds, JSON.stringify(slices)],
  )
}

async function accept(pool: pg.Pool, claim: Claim, orderIds: string[]): Promise<boolean> {
  const { rows } = await pool.query<{ id: string }>(
    `with changed as (
       update ticker.order_intents o set state = 'ACCEPTED', broker_order_id = coalesce(o.broker_order_id, ($2::text[])[1]),
         reason_code = null, reason = null, updated_at = now()
       where o.id = $1 and o.state <> 'ACCEPTED'
       returning o.account_id, o.id, 'intent.accepted' as kind, jsonb_build_object('order_ids', $2::text[]) as detail),
     ${LINKED},
     happened as (
       select account_id, id as intent_id, null::text as order_id, kind, detail from changed
       union all select * from cancel_again), ${LOG_HAPPENED}
     select id from changed`,
    [claim.intentId, orderIds],
  )
  return rows.length === 1
}
