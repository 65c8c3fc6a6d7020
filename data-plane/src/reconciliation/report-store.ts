// The rows of reports. Who asks for one while one waits for the same reason gets that one; each write passes the owner's epoch alone,
// and what is finished stays as it is.
import { newId, type ReconciliationReason, type ReconciliationReport } from '@ticker/shared/domain'
import type pg from 'pg'
import { LOG_HAPPENED } from '../orders/event-log.ts'
import { OWNED, type Owner } from '../orders/owned-sql.ts'

/** Reports of connections that come and go: not sooner after the account's last one. */
const RECONNECT_SPACING = `interval '1 minute'`
/** What was lost is told again meanwhile, and read. */
const RECONNECT_DELAY = `interval '5 seconds'`

export interface DueReport {
  id: string
  account_id: string
  reason: ReconciliationReason
  trading_day: string
  attempts: number
}

export type Finish =
  /** `day`: whose records were compared, later than when it was asked for if nobody was logged in. */
  | { state: 'DONE'; report: ReconciliationReport; day: string; eventSeq: number }
  | { state: 'FAILED'; failure: string }

export interface ReportStore {
  ask(
    accountId: string,
    reason: Exclude<ReconciliationReason, 'asked'>,
    day: string,
    owner: Owner,
  ): Promise<boolean>
  /** Of these accounts, those whose time has come. */
  due(accountIds: readonly string[]): Promise<DueReport[]>
  /** It could not be made, and is tried again. */
  retry(due: DueReport, failure: string, delayMs: number, owner: Owner): Promise<void>
  /** False: somebody else has, or the account is not ours any more. */
  finish(due: DueReport, to: Finish, owner: Owner): Promise<boolean>
  /** Whether anything of the account's day is of these exchanges. */
  hasTradedOn(accountId: string, exchanges: readonly string[], dayFromMs: number): Promise<boolean>
}

export function createReportStore(pool: pg.Pool): ReportStore {
  return {
    async ask(accountId, reason, day, owner) {
      const { rowCount } = await pool.query(
        `with ${OWNED} insert into ticker.reconciliations (id, account_id, reason, trading_day, next_attempt_at, created_by)
         select $4, owned.id, $5, $6, case when $5 = 'reconnect' then greatest(now() + ${RECONNECT_DELAY},
             (select max(r.finished_at) + ${RECONNECT_SPACING} from ticker.reconciliations r where r.account_id = $1))
           else now() end, 'data plane'
         from owned on conflict do nothing`,
        [accountId, owner.instanceId, owner.epoch, newId('rcn'), reason, day],
      )
      return rowCount === 1
    },

    async due(accountIds) {
      const { rows } = await pool.query<DueReport>(
        `select id, account_id, reason, trading_day::text as trading_day, attempts from ticker.reconciliations
         where account_id = any($1::text[]) and state = 'PENDING' and next_attempt_at <= now() order by id`,
        [accountIds],
      )
      return rows
    },

    async retry({ id, account_id }, failure, delayMs, owner) {
      await pool.query(
        `with ${OWNED} update ticker.reconciliations r set attempts = r.attempts + 1, failure = $5,
           next_attempt_at = now() + $6::int * interval '1 millisecond'
         from owned where r.id = $4 and r.account_id = owned.id and r.state = 'PENDING'`,
        [account_id, owner.instanceId, owner.epoch, id, failure, delayMs],
      )
    },

    async finish({ id, account_id, reason }, to, owner) {
      const report = to.state === 'DONE' ? to.report : undefined
      const outcome = report && (report.drift.count > 0 ? 'drift' : 'agrees')
      const failure = to.state === 'FAILED' ? to.failure : null
      const kind =
        failure !== null ? 'reconciliation.failed' : outcome === 'drift' ? 'reconciliation.drift' : null
      const detail = {
        ...{ reconciliation_id: id, reason, failure },
        ...(report ? { differences: report.drift.count, first: report.drift.items.slice(0, 10) } : {}),
      }
      const { rows } = await pool.query<{ id: string }>(
        `with ${OWNED}, finished as (
           update ticker.reconciliations r set state = $5, outcome = $6, report = $7, event_seq = $8, failure = $9,
             attempts = r.attempts + 1, finished_at = now(),
             trading_day = case when r.reason = 'close' then r.trading_day else coalesce($12::date, r.trading_day) end
           from owned where r.id = $4 and r.account_id = owned.id and r.state = 'PENDING' returning r.id, r.account_id),
         happened as (
           select account_id, null::text as intent_id, null::text as order_id, $10::text as kind, $11::jsonb as detail
           from finished where $10::text is not null), ${LOG_HAPPENED}
         select id from finished`,
        [
          ...[account_id, owner.instanceId, owner.epoch, id, to.state, outcome ?? null],
          ...[report ? JSON.stringify(report) : null, to.state === 'DONE' ? to.eventSeq : null, failure],
          ...[kind, JSON.stringify(detail), to.state === 'DONE' ? to.day : null],
        ],
      )
      return rows.length === 1
    },

    async hasTradedOn(accountId, exchanges, dayFromMs) {
      const { rows } = await pool.query<{ has: boolean }>(
        `select exists (select from ticker.orders where account_id = $1 and exchange = any($2::text[])
           and broker_updated_at >= to_timestamp($3::float8 / 1000)) as has`,
        [accountId, exchanges, dayFromMs],
      )
      return rows[0]?.has ?? false
    },
  }
}
