// The rows of writes that carry no tag, and their transitions, as orders/intent-store.ts: each is one conditional statement that
// only the right state (and epoch, and attempt) passes, with its event appended in the same commit.
import type { WriteKind, WriteState } from '@ticker/shared/domain'
import type pg from 'pg'
import { claimedBy, unclaimSql } from '../orders/claims.ts'
import { LOG_HAPPENED } from '../orders/event-log.ts'
import type { Claim, Sender } from '../orders/intent-store.ts'

export interface AccountWrite {
  id: string
  kind: WriteKind
  subject: string
  request: unknown
  triggerId: string | null
  before: unknown
  state: WriteState
  attempts: number
  createdMs: number
  /** Since it was last sent, or else stored. */
  sinceMs: number
  /** Not to be sent again before. */
  waitMs: number
}

export type WriteSettlement =
  | { state: 'ACCEPTED'; triggerId: string | null }
  | { state: 'REJECTED' | 'UNKNOWN'; code: string; reason: string }
  | { state: 'QUEUED'; reason: string; retryAfterMs: number }

export type WriteEnd =
  | { state: 'ACCEPTED'; triggerId: string | null }
  | { state: 'REFUSED' | 'RELEASED'; code: string; reason: string }

export interface WriteStore {
  /** What is not settled, oldest first, and the places given up within a day: they may still be found. */
  live(accountId: string): Promise<AccountWrite[]>
  /** `isWritten`: it was sent, whatever its row says. */
  expireOverdue(accountId: string, isWritten: (id: string) => boolean): Promise<string[]>
  claim(write: AccountWrite, sender: Sender, before: unknown): Promise<Claim | undefined>
  claimedBy(accountId: string, epoch: number): Promise<Claim[]>
  unclaim(claim: Claim): Promise<boolean>
  settle(claim: Claim, settlement: WriteSettlement): Promise<boolean>
  /** Ends one that is not being sent; false: it has moved on. */
  end(write: AccountWrite, end: WriteEnd): Promise<boolean>
  /** Refused with the account's gate reason, if its gate is closed now. */
  refuseIfGated(id: string): Promise<boolean>
  /** The broker was read since it was sent, and does not show it, or cannot tell. */
  absent(id: string): Promise<void>
  orphansToUnknown(accountId: string, epoch: number): Promise<string[]>
}

/** Rows of one account are few: a person or a strategy places them, and the broker keeps 500. */
const LIVE_MAX = 200
const RETURNED = `c.account_id, c.id, c.trigger_id, c.kind || '.' || lower(c.state) as kind`
const LOG_CHANGED = `
  happened as (select account_id, null::text as intent_id, null::text as order_id, kind,
    detail || jsonb_build_object('write_id', id, 'trigger_id', trigger_id) as detail from changed), ${LOG_HAPPENED}`
/** Of a place: the GTT is shown as ours from then on. */
const LINKED = `linked as (
  update ticker.gtts g set write_id = n.id from changed n
  where n.kind = 'gtt_place.accepted' and g.account_id = n.account_id and g.trigger_id = n.trigger_id and g.write_id is null)`

export function createWriteStore(pool: pg.Pool): WriteStore {
  async function changedIds(changed: string, parameters: unknown[]): Promise<string[]> {
    const { rows } = await pool.query<{ id: string }>(
      `with changed as (${changed}), ${LINKED}, ${LOG_CHANGED} select id from changed`,
      parameters,
    )
    return rows.map((row) => row.id)
  }

  async function move(claim: Claim, to: WriteSettlement) {
    // The answer settles its attempt, also after a new epoch had put it in doubt. A database that lost the claim shows
    // fewer attempts: the sending happened all the same.
    const from = to.state === 'UNKNOWN' ? ['SENDING'] : ['SENDING', 'UNKNOWN']
    const lostClaim = to.state === 'QUEUED' ? 'false' : `c.state = 'QUEUED' and c.attempts <= $4`
    const changed = await changedIds(
      `update ticker.account_writes c set state = $5, sending_epoch = $3, attempts = $4,
         sending_at = coalesce(c.sending_at, now()), trigger_id = coalesce($6, c.trigger_id), reason_code = $7, reason = $8,
         not_before = now() + $9::float8 * interval '1 millisecond', updated_at = now()
       where c.id = $1 and ((c.state = any($2::text[]) and c.sending_epoch = $3 and c.attempts = $4) or (${lostClaim}))
       returning ${RETURNED}, jsonb_strip_nulls(jsonb_build_object('reason', $8::text)) as detail`,
      [
        ...[claim.intentId, from, claim.epoch, claim.attempt, to.state],
        'triggerId' in to ? to.triggerId : null,
        'code' in to ? to.code : null,
        'reason' in to ? to.reason : null,
        'retryAfterMs' in to ? to.retryAfterMs : 0,
      ],
    )
    return changed.length === 1
  }

  return {
    async live(accountId) {
      const { rows } = await pool.query<Row>(
        `select id, kind, subject, request, trigger_id, before, state, attempts,
           extract(epoch from created_at) * 1000 as created_ms,
           extract(epoch from now() - coalesce(sending_at, created_at)) * 1000 as since_ms,
           greatest(0, coalesce(extract(epoch from not_before - now()) * 1000, 0)) as wait_ms
         from ticker.account_writes where account_id = $1 and (state in ('QUEUED', 'SENDING', 'UNKNOWN')
           or (state = 'RELEASED' and kind = 'gtt_place' and sending_at > now() - interval '1 day'))
         order by created_at, id limit ${LIVE_MAX}`,
        [accountId],
      )
      return rows.map(({ trigger_id, created_ms, since_ms, wait_ms, ...row }) => ({
        ...{ ...row, triggerId: trigger_id, createdMs: Number(created_ms) },
        ...{ sinceMs: Number(since_ms), waitMs: Number(wait_ms) },
      }))
    },

    async expireOverdue(accountId, isWritten) {
      const { rows } = await pool.query<{ id: string }>(
        `select id from ticker.account_writes where account_id = $1 and state = 'QUEUED' and deadline <= now()`,
        [accountId],
      )
      const ids = rows.map(({ id }) => id).filter((id) => !isWritten(id))
      if (ids.length === 0) return []
      return changedIds(
        `update ticker.account_writes c set state = 'EXPIRED', reason_code = 'deadline_passed',
           reason = concat_ws(' ', 'Not sent before its deadline.', c.reason), updated_at = now()
         where c.id = any($1) and c.state = 'QUEUED' returning ${RETURNED}, '{}'::jsonb as detail`,
        [ids],
      )
    },

    async claim(write, sender, before) {
      const { rows } = await pool.query<{ id: string; attempts: number }>(
        `with changed as (
           update ticker.account_writes c set state = 'SENDING', sending_epoch = $3, sending_at = now(), before = $5::jsonb,
             attempts = c.attempts + 1, reason_code = null, reason = null, absent_at = null, updated_at = now()
           from ticker.accounts a, ticker.instances n, ticker.fleet f, ticker.sessions s
           where c.id = $1 and c.state = 'QUEUED' and c.attempts = $6 and c.deadline > now()
             and a.id = c.account_id and a.status = 'active' and a.owner_instance_id = $2 and a.owner_epoch = $3
             and a.session_version = $4 and s.account_id = a.id and s.version = $4 and s.status = 'active'
             and s.expires_at > now() and n.id = $2 and n.epoch = $3 and n.lease_until > now()
             and (c.kind = 'gtt_delete' or (a.trading_state <> 'HALTED' and f.trading_state <> 'HALTED'
               and a.order_gate_reason is null and a.trading))
           returning c.attempts, ${RETURNED}, jsonb_build_object('epoch', $3::bigint, 'attempt', c.attempts) as detail),
         ${LOG_CHANGED} select id, attempts from changed`,
        [
          ...[write.id, sender.instanceId, sender.epoch, sender.sessionVersion],
          ...[JSON.stringify(before ?? null), write.attempts],
        ],
      )
      const [row] = rows
      return row ? { intentId: row.id, epoch: sender.epoch, attempt: row.attempts } : undefined
    },

    claimedBy: (accountId, epoch) => claimedBy(pool, 'account_writes', accountId, epoch),

    async unclaim({ intentId, epoch, attempt }) {
      const changed = await changedIds(unclaimSql('account_writes', RETURNED), [intentId, epoch, attempt])
      return changed.length === 1
    },

    settle: move,

    async end(write, to) {
      const changed = await changedIds(
        `update ticker.account_writes c set state = $3, trigger_id = coalesce($4, c.trigger_id), reason_code = $5, reason = $6,
           updated_at = now()
         where c.id = $1 and c.state = $2 and c.attempts = $7
         returning ${RETURNED}, jsonb_strip_nulls(jsonb_build_object('code', $5::text, 'reason', $6::text)) as detail`,
        [
          ...[write.id, write.state, to.state, 'triggerId' in to ? to.triggerId : null],
          ...['code' in to ? to.code : null, 'reason' in to ? to.reason : null, write.attempts],
        ],
      )
      return changed.length === 1
    },

    async refuseIfGated(id) {
      const changed = await changedIds(
        `update ticker.account_writes c set state = 'REFUSED', updated_at = now(),
           reason_code = case when a.trading then 'order_gate_closed' else 'trading_not_enabled' end,
           reason = a.order_gate_reason
         from ticker.accounts a where c.id = $1 and c.state = 'QUEUED' and a.id = c.account_id
           and (a.order_gate_reason is not null or not a.trading)
         returning ${RETURNED}, jsonb_strip_nulls(jsonb_build_object('code', c.reason_code, 'reason', c.reason)) as detail`,
        [id],
      )
      return changed.length === 1
    },

    async absent(id) {
      await pool.query(
        `update ticker.account_writes set absent_at = now() where id = $1 and state = 'UNKNOWN'`,
        [id],
      )
    },

    orphansToUnknown: (accountId, epoch) =>
      changedIds(
        `update ticker.account_writes c set state = 'UNKNOWN', reason_code = 'outcome_unknown',
           reason = 'The process that sent it is gone.', updated_at = now()
         where c.account_id = $1 and c.state = 'SENDING' and c.sending_epoch <> $2
         returning ${RETURNED}, jsonb_build_object('epoch', c.sending_epoch) as detail`,
        [accountId, epoch],
      ),
  }
}

interface Row {
  id: string
  kind: WriteKind
  subject: string
  request: unknown
  trigger_id: string | null
  before: unknown
  state: WriteState
  attempts: number
  created_ms: string
  since_ms: string
  wait_ms: string
}
