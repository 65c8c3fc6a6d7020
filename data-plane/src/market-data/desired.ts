// What Postgres says should be streamed: the wanted instruments and the accounts that can stream them. One cheap
// query tells whether anything moved; the rows are read only when it did.
import { z } from 'zod'
import type { DesiredAccount, DesiredRow } from './assign.ts'

/** As much of a pg Pool as this needs. */
export interface Queries {
  query(
    statement: string | { text: string; rowMode: 'array' },
    values?: unknown[],
  ): Promise<{ rows: unknown[]; rowCount: number | null }>
}

export interface DesiredState {
  rows: DesiredRow[]
  accounts: DesiredAccount[]
}

export interface DesiredVersions {
  /** Equal strings: nothing that decides the assignment has changed. */
  assignment: string
  instruments: number
}

const versionsRow = z.object({ assignment: z.string(), instruments: z.coerce.number() })
const desiredRow = z.object({
  instrument_token: z.number(),
  mode: z.enum(['ltp', 'quote', 'full']),
  account_id: z.string().nullable(),
  owner: z.string(),
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
  select concat_ws('/', f.subscriptions_version, f.instruments_version, f.accounts_version,
           (select string_agg(s.account_id || ':' || s.version, ',' order by s.account_id)
              from ticker.accounts a
              join ticker.sessions s on s.account_id = a.id and s.version = a.session_version
             where a.status = 'active' and s.status = 'active' and s.expires_at > now())) as assignment,
         f.instruments_version as instruments
    from ticker.fleet f`

const ROWS = `
  select i.instrument_token::float8 as instrument_token, s.mode, s.account_id, s.owner
    from ticker.subscriptions s
    join ticker.instruments i
      on i.exchange = s.exchange and i.tradingsymbol = s.tradingsymbol and i.is_active`

const ACCOUNTS = `
  select a.id, a.owner, a.max_connections * a.max_instruments_per_connection as capacity,
         a.status = 'active' as active,
         exists (select from ticker.sessions s
                  where s.account_id = a.id and s.version = a.session_version
                    and s.status = 'active' and s.expires_at > now()) as session_active
    from ticker.accounts a`

export async function readVersions(db: Queries): Promise<DesiredVersions> {
  const { rows } = await db.query(VERSIONS)
  return versionsRow.parse(rows[0] ?? { assignment: '', instruments: 0 })
}

export async function readDesired(db: Queries): Promise<DesiredState> {
  const [rows, accounts] = [await db.query(ROWS), await db.query(ACCOUNTS)]
  return { rows: z.array(desiredRow).parse(rows.rows), accounts: z.array(accountRow).parse(accounts.rows) }
}
