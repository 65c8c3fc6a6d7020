import { sql } from 'drizzle-orm'
import { pgSchema, timestamp } from 'drizzle-orm/pg-core'

export const ticker = pgSchema('ticker')

export const at = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'string' })
export const now = sql`now()`
