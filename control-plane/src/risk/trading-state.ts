import {
  type AllTradingStates,
  accountTradingState,
  type KillRequest,
  openOrderSql,
  STOP_BATCHES_SQL,
  TAKE_BACK_WAITING_SQL,
  type TradingState,
  type TradingStateChange,
  type TradingStates,
} from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { LISTENERS, NOT_DELETED, nudgeList, visibleTo } from '../accounts/rows.ts'
import { byKey, mayUse } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { readFleetTradingState } from './fleet-trading-state.ts'

/** JSON of the account `a`. */
const STATE = sql`jsonb_build_object(
  'account_id', a.id, 'state', a.trading_state, 'reason', a.trading_state_reason,
  'changed_at', ${iso(sql`a.trading_state_at`)}, 'changed_by', a.trading_state_by,
  'sweep_requested_at', ${iso(sql`a.sweep_requested_at`)},
  'open_orders', (select count(*)::int from ticker.orders b where b.account_id = a.id and ${sql.raw(openOrderSql('b'))}),
  'orders_in_doubt', (select count(*)::int from ticker.order_intents o
    where o.account_id = a.id and o.state in ('SENDING', 'UNKNOWN')))`

export async function readTradingStates(call: Call): Promise<AllTradingStates> {
  const rows = await call.deps.db.rows(
    z.object({ state: accountTradingState }),
    sql`select ${STATE} as state from ticker.accounts a
      where ${NOT_DELETED} and ${visibleTo(call.actor)} order by a.id`,
  )
  return { fleet: await readFleetTradingState(call), accounts: rows.map(({ state }) => state) }
}

export function changeTradingState(
  call: Call,
  { account_id, state, reason }: TradingStateChange,
): Promise<Outcome<TradingStates>> {
  // Who lets trade again has seen what is open: what was still to be swept is theirs.
  const sweep = state === 'ACTIVE' ? sql`null` : sql`sweep_requested_at`
  return setState(call, account_id, { action: 'trading_state.change', state, reason, sweep })
}

export function pullKillSwitch(
  call: Call,
  { account_id, reason }: KillRequest,
): Promise<Outcome<TradingStates>> {
  return setState(call, account_id, {
    ...{ action: 'kill_switch.pull', state: 'HALTED', reason, sweep: sql`now()` },
    alsoDo: sql`, waiting as (${sql.raw(TAKE_BACK_WAITING_SQL)}), batches as (${sql.raw(STOP_BATCHES_SQL)})`,
  })
}

async function setState(
  call: Call,
  accountId: string | undefined,
  change: { action: string; state: TradingState; reason: string; sweep: SQL; alsoDo?: SQL },
): Promise<Outcome<TradingStates>> {
  if (accountId !== undefined && !mayUse(call.actor, accountId)) return refused('account_not_allowed')
  const { action, state, reason, sweep, alsoDo = sql`` } = change
  const rows = await call.deps.db.rows(
    z.object({ state: accountTradingState, nudge: nudgeList }),
    sql`with a as (
        update ticker.accounts a set trading_state = ${state}, trading_state_reason = ${reason},
          trading_state_at = now(), trading_state_by = ${call.actor.key_id}, sweep_requested_at = ${sweep}, updated_at = now()
        where ${NOT_DELETED} and ${visibleTo(call.actor)}
          and (${accountId ?? null}::text is null or a.id = ${accountId ?? null})
        returning a.*
      ), audited as (${auditInsert(
        {
          auditor: byKey(call.actor),
          action,
          subject: accountId ?? 'every account',
          outcome: 'allowed',
          requestId: call.requestId,
          detail: { state, reason },
        },
        sql`a`,
      )})${alsoDo}
      select ${STATE} as state, ${LISTENERS} as nudge from a order by a.id`,
  )
  if (accountId !== undefined && rows.length === 0) return refused('account_not_found')
  call.defer(call.deps.commandChannel.nudge('fleet', [...new Set(rows.flatMap(({ nudge }) => nudge))]))
  return done({ accounts: rows.map(({ state }) => state) })
}
