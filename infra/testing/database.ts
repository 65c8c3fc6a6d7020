// A fresh, migrated database for one test file.
import { migrateDatabase } from '@ticker/shared/db/migrate'
import pg from 'pg'
import { inject } from 'vitest'

export interface TestDatabase {
  url: string
  pool: pg.Pool
  drop(): Promise<void>
}

let counter = 0

export async function freshDatabase(realm: 'live' | 'sim' = 'sim'): Promise<TestDatabase> {
  const maintenanceUrl = inject('postgresUrl')
  counter += 1
  const name = `test_${process.pid}_${counter}_${process.hrtime.bigint()}`
  await withClient(maintenanceUrl, (client) => client.query(`create database ${name}`))
  const url = maintenanceUrl.replace(/\/[^/]*$/, `/${name}`)
  await migrateDatabase(url, realm)
  const pool = new pg.Pool({ connectionString: url, max: 10 })
  // One that still closes when the database is dropped is told so.
  pool.on('error', () => {})
  return {
    url,
    pool,
    async drop() {
      await pool.end()
      await withClient(maintenanceUrl, (client) => client.query(`drop database ${name} with (force)`))
    },
  }
}

async function withClient(url: string, use: (client: pg.Client) => Promise<unknown>) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.end()
  }
}
