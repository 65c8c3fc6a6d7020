// What Postgres says should be streamed, read in parts: one cheap query tells which part moved, and only that part is
// read again (subscription-rows.ts, ladders/).
import { z } from 'zod'
import type { DesiredAccount } from './assign.ts'

/** As much of a pg Pool as this needs. */
export interface Queries {
  query(
    statement: string | { text: string; rowMode: 'array' },
    values?: unknown[],
  ): Promise<{ rows: unknown[]; rowCount: number | null }>
}

/** Equal values: that part has not changed. */
export interface DesiredVersions {
  /** Counts up by one with each change of subscriptions. */
  subscriptions: number
  instruments: number
  accounts: string
  ladders: string
}

const versionsRow = z.object({
  subscriptions: z.coerce.number(),
  instruments: z.coerce.number(),
  accounts: z.string(),
  ladders: z.string(),
})
const accountRow = z.object({
  id: z.string(),
  owner: z.string(),
  capacity: z.number(),
  active: z.boolean(),
  session_active: z.boolean(),
})

/** A session also ends by the clock, which moves no version: so the usable sessions are part of the version. */
const VERSIONS = `
  select f.subscriptions_version as subscriptions, f.instruments_version as instruments,
         concat_ws('/', f.accounts_version,
           (select string_agg(s.account_id || ':' || s.version || case when s.socket_refused_at is null then '' else '-' end, ',' order by s.account_id)
              from ticker.accounts a
              join ticker.sessions s on s.account_id = a.id and s.version = a.session_version
             where a.status = 'active' and s.status = 'active' and s.expires_at > now())) as accounts,
         concat_ws('/', f.ladders_version, (select sum(moves) from ticker.strike_ladder_states)) as ladders
    from ticker.fleet f`

const ACCOUNTS = `
  select a.id, a.owner, a.max_connections * a.max_instruments_per_connection as capacity,
         a.status = 'active' and a.market_data as active,
         exists (select from ticker.sessions s
                  where s.account_id = a.id and s.version = a.session_version
                    and s.status = 'active' and s.expires_at > now() and s.socket_refused_at is null) as session_active
    from ticker.accounts a`

export async function readVersions(db: Queries): Promise<DesiredVersions> {
  const { rows } = await db.query(VERSIONS)
  return versionsRow.parse(rows[0])
}

export async function readAccounts(db: Queries): Promise<DesiredAccount[]> {
  const { rows } = await db.query(ACCOUNTS)
  return z.array(accountRow).parse(rows)
}
