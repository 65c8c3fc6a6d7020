// Whether the whole fleet trades: over every account of every owner, those that are made later too. The stricter of it and
// the account's own state holds. An operator's act, so of a scope of its own.
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

/** JSON of the row `f`; who changed it is in the audit log of that owner. */
const FLEET = sql`jsonb_build_object('state', f.trading_state, 'reason', f.trading_state_reason,
  'changed_at', ${iso(sql`f.trading_state_at`)})`

export async function readFleetState(call: Call): Promise<FleetTradingState> {
  const [row] = await call.deps.db.rows(
    z.object({ fleet: fleetTradingState }),
    sql`select ${FLEET} as fleet from ticker.fleet f`,
  )
  return theRow(row).fleet
}

export async function changeFleetState(
  call: Call,
  { state, reason }: FleetTradingStateChange,
): Promise<FleetTradingState> {
  const [row] = await call.deps.db.rows(
    z.object({ fleet: fleetTradingState, nudge: nudgeList }),
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
      select ${FLEET} as fleet, ${LIVE_INSTANCES} as nudge from f`,
  )
  const { fleet, nudge } = theRow(row)
  call.defer(call.deps.commandChannel.nudge('fleet', nudge))
  return fleet
}

function theRow<Row>(row: Row | undefined): Row {
  if (!row) throw new Error('the fleet row is missing: run the migrations')
  return row
}
