// One state over every account of the deployment, whoever owns it. It changes no account's own: released, each is as it was.
import {
  type FleetTradingState,
  type FleetTradingStateChange,
  fleetTradingState,
} from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LIVE_INSTANCES, nudgeList } from '../accounts/rows.ts'
import { byKey } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'

/** JSON of the row `f`. */
const STATE = sql`jsonb_build_object('state', f.trading_state, 'reason', f.trading_state_reason,
  'changed_at', ${iso(sql`f.trading_state_at`)})`

export async function readFleetTradingState(call: Call): Promise<FleetTradingState> {
  const [row] = await call.deps.db.rows(
    z.object({ state: fleetTradingState }),
    sql`select ${STATE} as state from ticker.fleet f`,
  )
  if (!row) throw new Error('the fleet row is missing: run the migrations')
  return row.state
}

/** A key that is limited to some accounts is not an operator's. */
export async function changeFleetTradingState(
  call: Call,
  { state, reason }: FleetTradingStateChange,
): Promise<Outcome<FleetTradingState>> {
  if (call.actor.account_ids !== null) return refused('account_not_allowed')
  const [row] = await call.deps.db.rows(
    z.object({ state: fleetTradingState, nudge: nudgeList }),
    sql`with f as (
        update ticker.fleet set trading_state = ${state}, trading_state_reason = ${reason}, trading_state_at = now()
        returning *
      ), audited as (${auditInsert(
        {
          auditor: byKey(call.actor),
          action: 'fleet_trading_state.change',
          subject: 'fleet',
          outcome: 'allowed',
          requestId: call.requestId,
          detail: { state, reason },
        },
        sql`f`,
      )})
      select ${STATE} as state, ${LIVE_INSTANCES} as nudge from f`,
  )
  if (!row) throw new Error('the fleet row is missing: run the migrations')
  call.defer(call.deps.commandChannel.nudge('fleet', row.nudge))
  return done(row.state)
}
