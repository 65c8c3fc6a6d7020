// The pool of Postgres connections, opened only on a database of this process's realm.
import type { Realm } from '@ticker/shared/commands'
import pg from 'pg'

const CONNECT_TIMEOUT_MS = 5_000
const STATEMENT_TIMEOUT_MS = 7_500
const QUERY_TIMEOUT_MS = 8_000
const IDLE_IN_TRANSACTION_MS = 60_000

export interface DatabaseOptions {
  url: string
  connectionsMax: number
  realm: Realm
}

/** Rejects, with nothing left open, when the database cannot be reached or belongs to another realm. */
export async function openDatabase(options: DatabaseOptions): Promise<pg.Pool> {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connectionsMax,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    // A stalled connection must fail, not hang: the lease and every order path wait on these answers.
    query_timeout: QUERY_TIMEOUT_MS,
    // No transaction of ours waits on anything but the next rows of a dump.
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
    keepAlive: true,
  })
  // A pool without a listener ends the process when an idle connection breaks.
  pool.on('error', () => {})
  try {
    await checkRealm(pool, options.realm)
    return pool
  } catch (error) {
    await pool.end()
    throw error
  }
}

/** A database belongs to one realm for ever; the wrong one is refused before anything else is touched. */
async function checkRealm(pool: pg.Pool, realm: Realm): Promise<void> {
  const { rows } = await pool.query<{ realm: string }>('select realm from ticker.deployment')
  if (rows[0]?.realm !== realm)
    throw new Error(
      `The database is of realm ${rows[0]?.realm ?? 'none (run "migrate")'}, REALM is ${realm}.`,
    )
}
