// The local PostgreSQL as its callers see it. Apart from the server: its library takes over the process's signals.
import pg from 'pg'

export const POSTGRES_PASSWORD = 'local'

export function postgresUrl(port: number, database = 'postgres'): string {
  return `postgres://postgres:${POSTGRES_PASSWORD}@127.0.0.1:${port}/${database}`
}

export async function postgresAnswers(port: number): Promise<boolean> {
  await withPostgres(port, (client) => client.query('select 1'))
  return true
}

export async function createDatabase(port: number, name: string): Promise<void> {
  await withPostgres(port, async (client) => {
    const found = await client.query('select 1 from pg_database where datname = $1', [name])
    if (found.rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`)
  })
}

async function withPostgres(port: number, use: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl(port), connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.end()
  }
}
