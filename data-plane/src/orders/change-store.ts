// The rows of cancels and modifies and their transitions, as intent-store.ts: each is one conditional statement that
// only the right state (and epoch, and attempt) passes, with its event appended in the same commit.
import {
  type ChangeKind,
  type ChangeState,
  type IntentState,
  type ModifyOrder,
  ordersMissingSql,
  TERMINAL_RANK,
} from '@ticker/shared/domain'
import type { KiteOrder } from '@ticker/shared/kite-http'
import type pg from 'pg'
import { claimedBy, unclaimSql } from './claims.ts'
import type { Claim, Sender } from './intent-store.ts'
import { LIVE_CHANGE } from './live-change.ts'

/** One of the broker's orders that a change is of, as last seen. */
export interface TargetOrder {
  orderId: string
  status: string
  open: boolean
  row: KiteOrder
}

export interface Change {
  id: string
  kind: ChangeKind
  intentId: string | null
  orderId: string | null
  /** Of a modify. */
  fields: ModifyOrder | null
  state: ChangeState
  attempts: number
  createdMs: number
  /** Since it was last sent, or else asked for. */
  sinceMs: number
  /** Not to be sent again before. */
  waitMs: number
  intentState: IntentState | null
  /** Orders of it that the broker accepted and no book or update has shown, and 1 for slices nobody knows of yet. */
  unseen: number
  orders: TargetOrder[]
}

export type ChangeSettlement =
  | { state: 'ACCEPTED' }
  | { state: 'REJECTED'; code: string; reason: string }
  | { state: 'UNKNOWN'; code: string; reason: string }
  | { state: 'QUEUED'; code?: string; reason: string; retryAfterMs: number }

export interface ChangeEnd {
  state: 'DONE' | 'REFUSED' | 'RELEASED' | 'ACCEPTED' | 'REJECTED'
  code: string | null
  reason: string | null
}

export interface ChangeStore {
  /** Everything that is not settled, cancels first, oldest first. */
  live(accountId: string, limit: number): Promise<Change[]>
  /** `isWritten`: it is on its way, or was, whatever its row says. */
  expireOverdue(accountId: string, isWritten: (changeId: string) => boolean): Promise<string[]>
  /** `orderId`: which of its orders this sending is about. */
  claim(change: Change, orderId: string, sender: Sender): Promise<Claim | undefined>
  claimedBy(accountId: string, epoch: number): Promise<Claim[]>
  unclaim(claim: Claim): Promise<boolean>
  settle(claim: Claim, settlement: ChangeSettlement): Promise<boolean>
  /** Ends a change that is not being sent; false: it has moved on. */
  end(change: Change, end: ChangeEnd): Promise<boolean>
  /** Refuses a modify with the account's gate reason, if its gate is closed or trading is halted now. */
  refuseIfGated(change: Change): Promise<boolean>
  orphansToUnknown(accountId: string, epoch: number): Promise<string[]>
}

/** What an UPDATE of `c` returns for its event. */
const RETURNED = `c.account_id, c.id, c.intent_id, c.order_id, c.kind || '.' || lower(c.state) as kind`

/** Appends one event per row of CTE `changed` (account_id, id, intent_id, order_id, kind, detail), in id order. */
const LOG_CHANGED = `
  counted as (select account_id, count(*) as n from changed group by account_id),
  bumped as (
    update ticker.accounts a set event_seq = a.event_seq + n.n from counted n where a.id = n.account_id
    returning a.id, a.event_seq - n.n as base),
  logged as (
    insert into ticker.order_events (account_id, seq, kind, intent_id, order_id, detail)
    select e.account_id, b.base + row_number() over (partition by e.account_id order by e.id), e.kind, e.intent_id, e.order_id,
      jsonb_build_object('change_id', e.id) || e.detail
    from changed e join bumped b on b.id = e.account_id)`

interface Row {
  id: string
  kind: ChangeKind
  intent_id: string | null
  order_id: string | null
  fields: ModifyOrder | null
  state: ChangeState
  attempts: number
  created_ms: string
  since_ms: string
  wait_ms: string
  intent_state: IntentState | null
  unseen: number
  orders: TargetOrder[]
}

export function createChangeStore(pool: pg.Pool): ChangeStore {
  async function changedIds(changed: string, parameters: unknown[]): Promise<string[]> {
    const { rows } = await pool.query<{ id: string }>(
      `with changed as (${changed}), ${LOG_CHANGED} select id from changed`,
      parameters,
    )
    return rows.map((row) => row.id)
  }

  async function move(
    claim: Claim,
    from: ChangeState[],
    to: string,
    set: string,
    values: unknown[],
    detail: unknown,
  ) {
    // A database that lost the claim shows fewer attempts: the sending happened all the same.
    const lostClaim = to === `'QUEUED'` ? 'false' : `c.state = 'QUEUED' and c.attempts < $4`
    const changed = await changedIds(
      `update ticker.order_changes c set state = ${to}, sending_epoch = $3, attempts = $4,
         sending_at = coalesce(c.sending_at, now()), updated_at = now()${set}
       where c.id = $1 and ((c.state = any($2::text[]) and c.sending_epoch = $3 and c.attempts = $4) or (${lostClaim}))
       returning ${RETURNED}, $5::jsonb as detail`,
      [claim.intentId, from, claim.epoch, claim.attempt, JSON.stringify(detail), ...values],
    )
    return changed.length === 1
  }

  return {
    async live(accountId, limit) {
      const { rows } = await pool.query<Row>(
        `select c.id, c.kind, c.intent_id, c.order_id, c.fields, c.state, c.attempts,
           extract(epoch from c.created_at) * 1000 as created_ms,
           extract(epoch from now() - coalesce(c.sending_at, c.created_at)) * 1000 as since_ms,
           greatest(0, coalesce(extract(epoch from c.not_before - now()) * 1000, 0)) as wait_ms,
           i.state as intent_state,
           (select count(*)::int from ticker.intent_orders l where c.order_id is null and l.intent_id = c.intent_id
             and not exists (select from ticker.orders o where o.account_id = l.account_id and o.order_id = l.order_id))
             + case when c.order_id is null and i.state = 'ACCEPTED' and ${ordersMissingSql('i')} then 1 else 0 end as unseen,
           coalesce((select jsonb_agg(jsonb_build_object('orderId', o.order_id, 'status', o.status,
               'open', o.status_rank < ${TERMINAL_RANK}, 'row', o.broker_order) order by o.order_id)
             from ticker.orders o where o.account_id = c.account_id
               and (o.order_id = c.order_id or (c.order_id is null and o.intent_id = c.intent_id))), '[]') as orders
         from ticker.order_changes c left join ticker.order_intents i on i.id = c.intent_id
         where c.account_id = $1 and ${LIVE_CHANGE} order by c.kind, c.created_at, c.id limit $2`,
        [accountId, limit],
      )
      return rows.map(asChange)
    },

    async expireOverdue(accountId, isWritten) {
      const { rows } = await pool.query<{ id: string }>(
        `select id from ticker.order_changes where account_id = $1 and state = 'QUEUED' and deadline <= now()`,
        [accountId],
      )
      const ids = rows.map(({ id }) => id).filter((id) => !isWritten(id))
      if (ids.length === 0) return []
      return changedIds(
        `update ticker.order_changes c set state = 'EXPIRED', reason_code = 'deadline_passed',
           reason = 'Not sent before its deadline.', updated_at = now()
         where c.id = any($1) and c.state = 'QUEUED'
         returning ${RETURNED}, '{}'::jsonb as detail`,
        [ids],
      )
    },

    async claim(change, orderId, sender) {
      const { rows } = await pool.query<{ id: string; attempts: number }>(
        `with changed as (
           update ticker.order_changes c set state = 'SENDING', sending_epoch = $3, sending_at = now(),
             attempts = c.attempts + 1, reason_code = null, reason = null, updated_at = now()
           from ticker.accounts a, ticker.instances n, ticker.fleet f, ticker.sessions s
           where c.id = $1 and c.attempts = $5
             and (c.state = 'QUEUED' or (c.kind = 'cancel' and c.state in ('UNKNOWN', 'ACCEPTED')))
             and (c.deadline is null or c.deadline > now())
             and a.id = c.account_id and a.status = 'active' and a.owner_instance_id = $2 and a.owner_epoch = $3
             and a.session_version = $4 and s.account_id = a.id and s.version = $4 and s.status = 'active'
             and s.expires_at > now() and n.id = $2 and n.epoch = $3 and n.lease_until > now()
             and (c.kind = 'cancel' or (a.trading_state <> 'HALTED' and f.trading_state <> 'HALTED'
               and a.order_gate_reason is null and a.trading))
           returning c.attempts, ${RETURNED},
             jsonb_build_object('epoch', $3::bigint, 'attempt', c.attempts, 'order_id', $6::text) as detail), ${LOG_CHANGED}
         select id, attempts from changed`,
        [change.id, sender.instanceId, sender.epoch, sender.sessionVersion, change.attempts, orderId],
      )
      const [row] = rows
      return row ? { intentId: row.id, epoch: sender.epoch, attempt: row.attempts } : undefined
    },

    claimedBy: (accountId, epoch) => claimedBy(pool, 'order_changes', accountId, epoch),

    async unclaim({ intentId, epoch, attempt }) {
      const changed = await changedIds(unclaimSql('order_changes', RETURNED), [intentId, epoch, attempt])
      return changed.length === 1
    },

    settle(claim, settlement) {
      switch (settlement.state) {
        case 'ACCEPTED':
          return move(claim, IN_DOUBT, `'ACCEPTED'`, ', reason_code = null, reason = null', [], {})
        case 'UNKNOWN': {
          const { code, reason } = settlement
          return move(claim, ['SENDING'], `'UNKNOWN'`, ', reason_code = $6, reason = $7', [code, reason], {
            reason,
          })
        }
        case 'QUEUED':
          return move(
            claim,
            IN_DOUBT,
            `'QUEUED'`,
            `, not_before = now() + $6::float8 * interval '1 millisecond', reason = $7, reason_code = $8`,
            [settlement.retryAfterMs, settlement.reason, settlement.code ?? null],
            { reason: settlement.reason },
          )
        case 'REJECTED':
          return move(
            claim,
            IN_DOUBT,
            `'REJECTED'`,
            ', reason_code = $6, reason = $7',
            [settlement.code, settlement.reason],
            { code: settlement.code, reason: settlement.reason },
          )
      }
    },

    async end(change, { state, code, reason }) {
      const changed = await changedIds(
        `update ticker.order_changes c set state = $4, reason_code = $5, reason = $6, updated_at = now()
         where c.id = $1 and c.state = $2 and c.attempts = $3
         returning ${RETURNED}, jsonb_build_object('code', $5::text, 'reason', $6::text) as detail`,
        [change.id, change.state, change.attempts, state, code, reason],
      )
      return changed.length === 1
    },

    async refuseIfGated(change) {
      const changed = await changedIds(
        `update ticker.order_changes c set state = 'REFUSED', updated_at = now(), reason_code = 'order_gate_closed',
           reason = case when a.trading_state = 'HALTED' or f.trading_state = 'HALTED' then 'Trading is halted.'
             when a.order_gate_reason is not null then a.order_gate_reason else 'The account is not for trading.' end
         from ticker.accounts a, ticker.fleet f
         where c.id = $1 and c.state = 'QUEUED' and c.attempts = $2 and a.id = c.account_id
           and (a.trading_state = 'HALTED' or f.trading_state = 'HALTED' or a.order_gate_reason is not null or not a.trading)
         returning ${RETURNED}, jsonb_build_object('code', c.reason_code, 'reason', c.reason) as detail`,
        [change.id, change.attempts],
      )
      return changed.length === 1
    },

    orphansToUnknown: (accountId, epoch) =>
      changedIds(
        `update ticker.order_changes c set state = 'UNKNOWN', reason_code = 'outcome_unknown',
           reason = 'The process that sent it is gone.', updated_at = now()
         where c.account_id = $1 and c.state = 'SENDING' and c.sending_epoch <> $2
         returning ${RETURNED}, jsonb_build_object('epoch', c.sending_epoch) as detail`,
        [accountId, epoch],
      ),
  }
}

/** The answer to an attempt settles that attempt, also when it came after a new epoch had put it in doubt. */
const IN_DOUBT: ChangeState[] = ['SENDING', 'UNKNOWN']

function asChange(row: Row): Change {
  return {
    id: row.id,
    kind: row.kind,
    intentId: row.intent_id,
    orderId: row.order_id,
    fields: row.fields,
    state: row.state,
    attempts: row.attempts,
    createdMs: Number(row.created_ms),
    sinceMs: Number(row.since_ms),
    waitMs: Number(row.wait_ms),
    intentState: row.intent_state,
    unseen: row.unseen,
    orders: row.orders,
  }
}
