import { type InstanceStatus, instanceStatus } from '@ticker/shared/commands'
import { type FleetStatus, fleetStatus } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { visibleTo } from '../accounts/rows.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'

/** Stopped instances are shown this long. */
const SHOWN_AFTER_DEATH = sql`interval '1 hour'`

/** The fleet from Postgres alone; accounts are those the key may see. */
export async function getFleet(call: Call): Promise<FleetStatus> {
  const { config, db, commandChannel } = call.deps
  const [row] = await db.rows(
    fleetStatus.pick({ trading_state: true, instruments: true, instances: true }),
    sql`select f.trading_state,
        jsonb_build_object(
          'count', (select count(*) from ticker.instruments where is_active),
          'fetched_at', (select ${iso(sql`max(fetched_at)`)} from ticker.instrument_snapshots)) as instruments,
        coalesce((select jsonb_agg(jsonb_build_object(
          'id', i.id, 'epoch', i.epoch, 'status', i.status,
          'alive', i.lease_until > now() and i.status <> 'stopped',
          'lease_until', ${iso(sql`i.lease_until`)}, 'stream_url', i.stream_url, 'version', i.version, 'egress_group', i.egress_group,
          'accounts', coalesce((select jsonb_agg(a.id order by a.id) from ticker.accounts a
            where a.owner_instance_id = i.id and ${visibleTo(call.actor)}), '[]'::jsonb)) order by i.started_at desc)
          from ticker.instances i where i.lease_until > now() - ${SHOWN_AFTER_DEATH}), '[]'::jsonb) as instances
      from ticker.fleet f`,
  )
  if (!row) throw new Error('the fleet row is missing: run the migrations')
  return {
    realm: config.realm,
    synthetic: config.realm === 'sim',
    command_channel: { breaker: commandChannel.breaker() },
    ...row,
  }
}

/** What the instance says of itself; accounts of other owners are left out. */
export async function getInstance(call: Call, id: string): Promise<Outcome<InstanceStatus>> {
  const { db, commandChannel } = call.deps
  const [row] = await db.rows(
    z.object({ found: z.boolean(), visible: z.array(z.string()) }),
    sql`select exists (select 1 from ticker.instances where id = ${id}::uuid) as found,
      coalesce((select jsonb_agg(a.id) from ticker.accounts a where ${visibleTo(call.actor)}), '[]'::jsonb) as visible`,
  )
  if (!row?.found) return refused('not_found')
  const asked = await commandChannel.ask(id, { call: 'instance_status', params: {} }, instanceStatus)
  if (asked.kind === 'unreachable')
    return refused('data_plane_unreachable', { retryAfterS: asked.retryAfterS })
  const status = asked.result
  const visible = new Set(row.visible)
  const visibleOf = <Of extends { account_id: string }>(all: Of[]) =>
    all.filter(({ account_id }) => visible.has(account_id))
  const { accounts, order_budgets: budgets } = status
  return done({
    ...status,
    accounts: visibleOf(accounts),
    ...(budgets && { order_budgets: visibleOf(budgets) }),
  })
}
