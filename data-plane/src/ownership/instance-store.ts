// The instance's row and what it sees of its accounts: one statement renews the lease and reads every version.
import type { TradingState } from '@ticker/shared/domain'
import type pg from 'pg'
import { LIVE_CHANGE } from '../orders/live-change.ts'
import { LEASE_TTL_MS } from './lease-clock.ts'

export interface InstanceIdentity {
  id: string
  streamUrl: string
  version: string
  /** It owns accounts of this group alone. */
  egressGroup: string
}

/** One owned account as the versions query sees it. */
export interface ObservedAccount {
  account_id: string
  /** false: disabled; neither streams nor sends, but what is open is settled. */
  active: boolean
  owner: string
  api_key: string
  /** What it is for. Without market data it opens no socket; without trading nothing is sent. */
  market_data: boolean
  trading: boolean
  /** Its broker is the paper broker. */
  paper: boolean
  max_connections: number
  max_instruments_per_connection: number
  /** The stricter of the fleet's, the account's, and what this instance has halted by itself. */
  trading_state: TradingState
  /** The account's own, in Postgres. */
  own_trading_state: TradingState
  /** Of the one that holds. */
  trading_state_reason: string | null
  /** The kill switch was pulled then, and the sweep is not done. */
  sweep_requested_at: string | null
  order_gate_reason: string | null
  session_version: number
  /** Of the current session version, while it is active and not past its expiry. */
  session_live: boolean
  /** The broker refuses the sockets of this session though it lives. */
  socket_refused: boolean
  due_orders: boolean
  due_changes: boolean
  live_batches: boolean
  /** GTT writes or conversions that are to be sent, or are in doubt. */
  due_writes: boolean
  live_exits: boolean
  postback_hints: boolean
}

export interface Observation {
  subscriptions_version: number
  instruments_version: number
  accounts_version: number
  calendar_version: number
  unowned_accounts: boolean
  accounts: ObservedAccount[]
}

const DUE_ORDERS = `exists (select 1 from ticker.order_intents o
  where o.account_id = a.id and o.state in ('QUEUED', 'SENDING', 'UNKNOWN'))`
const DUE_CHANGE = `c.account_id = a.id and ${LIVE_CHANGE}`
const LIVE_BATCH = `exists (select 1 from ticker.batches b
  where b.account_id = a.id and b.state in ('RUNNING', 'STOPPING'))`
const DUE_WRITE = `w.account_id = a.id and w.state in ('QUEUED', 'SENDING', 'UNKNOWN')`
const LIVE_EXIT = `exists (select 1 from ticker.exits e
  where e.account_id = a.id and e.state in ('RUNNING', 'STOPPING'))`
/**
 * A disabled account is owned until nothing of it is open: its orders in doubt are still read, its queue expires. What
 * nobody logs in for does not keep it: a cancel has no deadline.
 */
const SERVED = `(a.status = 'active' or ${DUE_ORDERS} or ${LIVE_BATCH} or ${LIVE_EXIT} or exists (select 1 from ticker.order_changes c
  where ${DUE_CHANGE} and c.created_at > now() - interval '2 days')
  or exists (select 1 from ticker.account_writes w where ${DUE_WRITE} and w.created_at > now() - interval '2 days'))`

/** The fleet's state is the stricter one, or the later word of two that are the same. */
const FLEET_RULES = `(${rank('f')}) > (${rank('a')})`
function rank(of: 'f' | 'a'): string {
  return `array_position(array['ACTIVE', 'REDUCING', 'HALTED'], ${of}.trading_state), coalesce(${of}.trading_state_at, '-infinity')`
}

const TTL = `interval '${LEASE_TTL_MS} milliseconds'`

/** Takes the next epoch. Acts of every older epoch of any instance are fenced off where this one becomes owner. */
export async function registerInstance(pool: pg.Pool, identity: InstanceIdentity): Promise<number> {
  const { rows } = await pool.query<{ epoch: string }>(
    `insert into ticker.instances (id, epoch, lease_until, stream_url, version, egress_group)
     values ($1, nextval('ticker.instance_epoch'), now() + ${TTL}, $2, $3, $4)
     on conflict (id) do update set epoch = excluded.epoch, lease_until = excluded.lease_until,
       stream_url = excluded.stream_url, version = excluded.version, egress_group = excluded.egress_group, status = 'running'
     returning epoch`,
    [identity.id, identity.streamUrl, identity.version, identity.egressGroup],
  )
  return Number(rows[0]?.epoch)
}

/**
 * Renews and observes; undefined when the lease has expired or belongs to a newer epoch. An account that went to another
 * egress group is given up here, before an instance of that group can claim it: at no time do two own it.
 */
export async function renewAndObserve(
  pool: pg.Pool,
  instanceId: string,
  epoch: number,
): Promise<Observation | undefined> {
  const { rows } = await pool.query<{ observation: Observation }>(
    `with me as (
       update ticker.instances set lease_until = now() + ${TTL}
       where id = $1 and epoch = $2 and lease_until > now() and status = 'running'
       returning id, egress_group
     ), given_up as (
       update ticker.accounts a set owner_instance_id = null, owner_epoch = null
       from me where a.owner_instance_id = me.id and a.owner_epoch = $2 and a.egress_group <> me.egress_group
     )
     select jsonb_build_object(
       'subscriptions_version', f.subscriptions_version,
       'instruments_version', f.instruments_version,
       'accounts_version', f.accounts_version,
       'calendar_version', f.calendar_version,
       'unowned_accounts', exists (
         select 1 from ticker.accounts a where ${SERVED} and a.egress_group = me.egress_group and not exists (
           select 1 from ticker.instances i
           where i.id = a.owner_instance_id and i.epoch = a.owner_epoch and i.lease_until > now())),
       'accounts', coalesce((
         select jsonb_agg(jsonb_build_object(
           'account_id', a.id, 'active', a.status = 'active', 'owner', a.owner, 'api_key', a.api_key,
           'market_data', a.market_data, 'trading', a.trading, 'paper', a.paper,
           'max_connections', a.max_connections,
           'max_instruments_per_connection', a.max_instruments_per_connection,
           'trading_state', case when ${FLEET_RULES} then f.trading_state else a.trading_state end,
           'trading_state_reason', case when ${FLEET_RULES} then concat_ws(': ', 'The whole fleet', f.trading_state_reason)
             else a.trading_state_reason end,
           'own_trading_state', a.trading_state,
           'sweep_requested_at', a.sweep_requested_at,
           'order_gate_reason', a.order_gate_reason,
           'session_version', a.session_version,
           'session_live', coalesce(s.status = 'active' and s.expires_at > now(), false),
           'socket_refused', s.socket_refused_at is not null,
           'due_orders', ${DUE_ORDERS},
           'due_changes', exists (select 1 from ticker.order_changes c where ${DUE_CHANGE}),
           'live_batches', ${LIVE_BATCH},
           'due_writes', exists (select 1 from ticker.account_writes w where ${DUE_WRITE}),
           'live_exits', ${LIVE_EXIT},
           'postback_hints', exists (select 1 from ticker.postback_hints h where h.account_id = a.id)
         ) order by a.id)
         from ticker.accounts a
         left join ticker.sessions s on s.account_id = a.id and s.version = a.session_version
         where a.owner_instance_id = $1 and a.owner_epoch = $2 and a.egress_group = me.egress_group
           and ${SERVED}), '[]')
     ) as observation
     from ticker.fleet f, me`,
    [instanceId, epoch],
  )
  return rows[0]?.observation
}

/** Takes every active account of its group without a living owner; the row lock decides between two instances. */
export async function claimAccounts(pool: pg.Pool, instanceId: string, epoch: number): Promise<string[]> {
  const { rows } = await pool.query<{ id: string }>(
    `update ticker.accounts a set owner_instance_id = $1, owner_epoch = $2
     where ${SERVED} and a.egress_group = (select egress_group from ticker.instances where id = $1) and not exists (
       select 1 from ticker.instances i
       where i.id = a.owner_instance_id and i.epoch = a.owner_epoch and i.lease_until > now())
     returning a.id`,
    [instanceId, epoch],
  )
  return rows.map((row) => row.id)
}

/** Gives everything up at once, so that another instance need not wait for the lease to expire. */
export async function releaseInstance(pool: pg.Pool, instanceId: string, epoch: number): Promise<void> {
  await pool.query(
    `update ticker.instances set lease_until = now(), status = 'stopped' where id = $1 and epoch = $2`,
    [instanceId, epoch],
  )
}

/** Instances that ended long ago are of no use to anyone. */
export async function forgetOldInstances(pool: pg.Pool): Promise<void> {
  await pool.query(
    `delete from ticker.instances i where i.lease_until < now() - interval '1 day'
     and not exists (select 1 from ticker.accounts a where a.owner_instance_id = i.id)`,
  )
}
