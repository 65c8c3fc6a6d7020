// The deployment as a whole, and the data planes that share its work.
import { sql } from 'drizzle-orm'
import { bigint, check, date, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { at, now, ticker } from './ticker.ts'

/** One row: which realm this database belongs to, fixed by its first migration (ARCHITECTURE rule 6). */
export const deployment = ticker.table(
  'deployment',
  {
    id: smallint('id').primaryKey().default(1),
    realm: text('realm').$type<'live' | 'sim'>().notNull(),
    created_at: at('created_at').notNull().default(now),
  },
  (table) => [
    check('one_row', sql`${table.id} = 1`),
    check('realm_known', sql`${table.realm} in ('live', 'sim')`),
  ],
)

/** One row of fleet-wide versions and state; a moved version tells the data plane to read the details. */
export const fleet = ticker.table(
  'fleet',
  {
    id: smallint('id').primaryKey().default(1),
    subscriptions_version: bigint('subscriptions_version', { mode: 'number' }).notNull().default(0),
    instruments_version: bigint('instruments_version', { mode: 'number' }).notNull().default(0),
    accounts_version: bigint('accounts_version', { mode: 'number' }).notNull().default(0),
    ladders_version: bigint('ladders_version', { mode: 'number' }).notNull().default(0),
    calendar_version: bigint('calendar_version', { mode: 'number' }).notNull().default(0),
    /** Up to which day an operator has stored the holidays; null, or earlier than the release's own: that one holds. */
    calendar_known_until: date('calendar_known_until', { mode: 'string' }),
    trading_state: text('trading_state')
      .$type<'ACTIVE' | 'REDUCING' | 'HALTED'>()
      .notNull()
      .default('ACTIVE'),
    trading_state_reason: text('trading_state_reason'),
    trading_state_at: at('trading_state_at'),
  },
  (table) => [check('one_row', sql`${table.id} = 1`)],
)

export const instances = ticker.table('instances', {
  id: uuid('id').primaryKey(),
  epoch: bigint('epoch', { mode: 'number' }).notNull(),
  lease_until: at('lease_until').notNull(),
  started_at: at('started_at').notNull().default(now),
  status: text('status').$type<'running' | 'draining' | 'stopped'>().notNull().default('running'),
  stream_url: text('stream_url').notNull(),
  version: text('version').notNull(),
  /** It owns accounts of this group alone. */
  egress_group: text('egress_group').notNull().default('default'),
})

/** Every registration of an instance takes the next epoch; acts of an older epoch are fenced off. */
export const instanceEpoch = ticker.sequence('instance_epoch')
