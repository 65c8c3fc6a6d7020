// Applies the forward-only migrations and fixes the database's realm on the first one. Node only (data plane, tests).
import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'

const MIGRATIONS = fileURLToPath(new URL('./migrations', import.meta.url))
/** Two instances starting together must not migrate at once; any fixed number serves as the lock's name. */
const MIGRATION_LOCK = 7_265_001

export class RealmMismatch extends Error {}

export async function migrateDatabase(
  url: string,
  realm: 'live' | 'sim',
  folder = MIGRATIONS,
): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await migrate(drizzle(client), { migrationsFolder: folder, migrationsSchema: 'ticker_migrations' })
    await client.query('insert into ticker.deployment (realm) values ($1) on conflict do nothing', [realm])
    await client.query('insert into ticker.fleet default values on conflict do nothing')
    const found = await client.query<{ realm: string }>('select realm from ticker.deployment')
    if (found.rows[0]?.realm !== realm) {
      throw new RealmMismatch(
        `This database is of realm ${found.rows[0]?.realm}; REALM=${realm} may not use it.`,
      )
    }
  } finally {
    await client.end()
  }
}
