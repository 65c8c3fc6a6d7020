import { migrateDatabase } from '@ticker/shared/db/migrate'
import type { Config } from '../config.ts'

/** Brings the database to this version and fixes its realm on the first run; safe to repeat. */
export async function migrate(config: Config): Promise<void> {
  await migrateDatabase(config.databaseUrl, config.realm)
  console.log(`Database is up to date (realm ${config.realm}).`)
}
