// Desired state: which instruments are to be streamed.
import {
  bigint,
  boolean,
  foreignKey,
  integer,
  jsonb,
  numeric,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { accounts } from './accounts.ts'
import { at, now, ticker } from './ticker.ts'

/** Desired state: who (source) wants which instrument in which mode. The highest wanted mode is subscribed. */
export const subscriptions = ticker.table(
  'subscriptions',
  {
    exchange: text('exchange').notNull(),
    tradingsymbol: text('tradingsymbol').notNull(),
    source: text('source').notNull(),
    mode: text('mode').$type<'ltp' | 'quote' | 'full'>().notNull(),
    owner: text('owner').notNull(),
    account_id: text('account_id').references(() => accounts.id, { onDelete: 'set null' }),
    created_by: text('created_by').notNull(),
    created_at: at('created_at').notNull().default(now),
    updated_at: at('updated_at').notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.exchange, table.tradingsymbol, table.owner, table.source] })],
)

/** What each subscriptions_version changed, so that the data plane reads those rows alone. Pruned by the cron. */
export const subscriptionChanges = ticker.table('subscription_changes', {
  version: bigint('version', { mode: 'number' }).primaryKey(),
  owner: text('owner').notNull(),
  source: text('source').notNull(),
  /** The instruments, as two lists of one length: exchange and tradingsymbol. */
  exchanges: text('exchanges').array().notNull(),
  tradingsymbols: text('tradingsymbols').array().notNull(),
  at: at('at').notNull().default(now),
})

/** Desired state as a rule: the options around the money of an underlying's nearest expiries. */
export const strikeLadders = ticker.table(
  'strike_ladders',
  {
    owner: text('owner').notNull(),
    id: text('id').notNull(),
    /** Another with every change of the rule. */
    revision: uuid('revision').notNull(),
    underlying: text('underlying').notNull(),
    exchange: text('exchange').notNull(),
    strikes: integer('strikes').notNull(),
    expiries: integer('expiries').notNull(),
    option_types: text('option_types').array().$type<('CE' | 'PE')[]>().notNull(),
    futures: boolean('futures').notNull(),
    mode: text('mode').$type<'ltp' | 'quote' | 'full'>().notNull(),
    account_id: text('account_id').references(() => accounts.id, { onDelete: 'set null' }),
    /** The most instruments it can need at once; what limits count. */
    instruments_max: integer('instruments_max').notNull(),
    created_by: text('created_by').notNull(),
    created_at: at('created_at').notNull().default(now),
    updated_at: at('updated_at').notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.owner, table.id] })],
)

/** Where a ladder stands: written by the instance that streams its underlying, read by the others and after a restart. */
export const strikeLadderStates = ticker.table(
  'strike_ladder_states',
  {
    owner: text('owner').notNull(),
    id: text('id').notNull(),
    /** Counts changes of `atms`: a writer that has missed one is refused. */
    moves: bigint('moves', { mode: 'number' }).notNull(),
    /** Strike at the money by expiry. */
    atms: jsonb('atms').$type<Record<string, number>>().notNull(),
    moved_at: at('moved_at').notNull(),
    spot: numeric('spot', { precision: 18, scale: 4 }),
    spot_at: at('spot_at'),
    /** exchange:tradingsymbol whose price it was. */
    spot_instrument: text('spot_instrument'),
    /** Why it does not follow the spot; null: it does. */
    reason: text('reason'),
    instrument_tokens: bigint('instrument_tokens', { mode: 'number' }).array().notNull(),
    reported_at: at('reported_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.owner, table.id] }),
    foreignKey({
      columns: [table.owner, table.id],
      foreignColumns: [strikeLadders.owner, strikeLadders.id],
    }).onDelete('cascade'),
  ],
)
