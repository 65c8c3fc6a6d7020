import { STOP_BATCHES_SQL, TAKE_BACK_WAITING_SQL } from '@ticker/shared/domain'
import type pg from 'pg'
import type { HaltStore } from './halts.ts'

export function createHaltStore(pool: pg.Pool, instanceId: string): HaltStore {
  return {
    async halt(accountIds, reason) {
      await pool.query(
        `with a as (
           update ticker.accounts set trading_state = 'HALTED', trading_state_reason = $2, trading_state_at = now(),
             trading_state_by = $3, sweep_requested_at = now(), updated_at = now()
           where id = any($1::text[]) returning id, owner
         ), waiting as (${TAKE_BACK_WAITING_SQL}), batches as (${STOP_BATCHES_SQL})
         insert into ticker.audit_log (id, actor, action, subject, owner, outcome, detail)
         select 'aud_' || gen_random_uuid(), $3, 'kill_switch.pull', id, owner, 'allowed', jsonb_build_object('reason', $2::text)
         from a`,
        [accountIds, reason, `instance:${instanceId}`],
      )
    },
  }
}

/** The sweep that was asked for at that time is done; one asked for since is not. */
export async function sweepDone(pool: pg.Pool, accountId: string, requestedAt: string): Promise<void> {
  await pool.query(
    `update ticker.accounts set sweep_requested_at = null where id = $1 and sweep_requested_at <= $2::timestamptz`,
    [accountId, requestedAt],
  )
}
