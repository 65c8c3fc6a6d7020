// Events become deliveries. Those of orders are taken over from the accounts' own log, each exactly once, by a cursor that never
// passes a late commit (seqs are taken in the transaction of the event); those of sessions and risk as they happen.
import { WEBHOOK_PENDING_MAX } from '@ticker/shared/domain'
import type pg from 'pg'
import { withAdvisoryLock } from '../operations/transaction.ts'

export interface AccountEvent {
  type: string
  category: 'sessions' | 'risk'
  accountId: string
  atMs: number
  data: Record<string, unknown>
}

/** Any fixed number: one instance of the fleet takes over at a time, so that nothing is taken over twice. */
const TAKE_OVER_LOCK = 7_265_004
/** Of one account for one webhook in one statement, and how many such pairs. */
const [EVENTS_MAX, PAIRS_MAX] = [200, 20]

const HAS_ROOM = `(select count(*) from ticker.webhook_deliveries d where d.webhook_id = w.id and d.state = 'pending')
  < ${WEBHOOK_PENDING_MAX}`
const OF_ACCOUNT = `a.owner = w.owner and (w.account_ids is null or a.id = any(w.account_ids))`
const NEW_ID = `'whd_' || replace(gen_random_uuid()::text, '-', '')`
const TIME = `to_char(%s at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`

/** Webhooks that are behind an account's log, and have room. */
const LAG = `select w.id as webhook_id, a.id as account_id, coalesce(c.seq, 0) as seen
  from ticker.webhooks w join ticker.accounts a on ${OF_ACCOUNT}
  left join ticker.webhook_cursors c on c.webhook_id = w.id and c.account_id = a.id
  where a.event_seq > coalesce(c.seq, 0) and ${HAS_ROOM}`

/** What a webhook does not ask for only moves its cursor. By chance: no pair that always has more keeps others waiting. */
const TAKE_OVER = `with due as (
    select lag.webhook_id, e.* from (${LAG} order by random() limit ${PAIRS_MAX}) lag cross join lateral (
      select * from ticker.order_events e where e.account_id = lag.account_id and e.seq > lag.seen order by e.seq limit ${EVENTS_MAX}) e
  ), moved as (
    insert into ticker.webhook_cursors (webhook_id, account_id, seq)
    select webhook_id, account_id, max(seq) from due group by webhook_id, account_id
    on conflict (webhook_id, account_id) do update set seq = excluded.seq
  ), queued as (
    insert into ticker.webhook_deliveries (id, webhook_id, event_type, body)
    select ${NEW_ID}, due.webhook_id, due.kind, json_build_object('type', due.kind, 'timestamp', ${TIME.replace('%s', 'due.at')},
      'data', json_build_object('account_id', due.account_id, 'seq', due.seq, 'intent_id', due.intent_id, 'order_id', due.order_id,
        'detail', due.detail, 'paper', a.paper, 'synthetic', $1::boolean or a.paper))::text
    from due join ticker.webhooks w on w.id = due.webhook_id join ticker.accounts a on a.id = due.account_id where 'orders' = any(w.events) order by due.account_id, due.seq
    returning 1
  ) select count(*)::int as due from due`

/** Some of what there is; answers how many events those were. */
export async function takeOverOrderEvents(pool: pg.Pool, synthetic: boolean): Promise<number> {
  const { rows } = await pool.query<{ yes: boolean }>(`select exists (${LAG}) as yes`)
  if (!rows[0]?.yes) return 0
  let due = 0
  await withAdvisoryLock(pool, TAKE_OVER_LOCK, async () => {
    const taken = await pool.query<{ due: number }>(TAKE_OVER, [synthetic])
    due = taken.rows[0]?.due ?? 0
  })
  return due
}

/** For every webhook of the account's owner that asks for it; answers how many of those had no room. */
export async function queueAccountEvent(
  pool: pg.Pool,
  event: AccountEvent,
  synthetic: boolean,
): Promise<number> {
  const body = JSON.stringify({
    type: event.type,
    timestamp: new Date(event.atMs).toISOString(),
    data: { account_id: event.accountId, ...event.data, synthetic },
  })
  const { rows } = await pool.query<{ full: number }>(
    `with asking as (
       select w.id, ${HAS_ROOM} as has_room from ticker.webhooks w join ticker.accounts a on a.id = $1 and ${OF_ACCOUNT}
       where $4 = any(w.events)
     ), queued as (
       insert into ticker.webhook_deliveries (id, webhook_id, event_type, body)
       select ${NEW_ID}, id, $2, $3 from asking where has_room)
     select count(*) filter (where not has_room)::int as full from asking`,
    [event.accountId, event.type, body, event.category],
  )
  return rows[0]?.full ?? 0
}
