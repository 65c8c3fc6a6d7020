// Broker accounts and their logins.
import { sql } from 'drizzle-orm'
import { bigint, boolean, check, integer, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { at, now, ticker } from './ticker.ts'

export const accounts = ticker.table(
  'accounts',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    owner: text('owner').notNull(),
    broker_user_id: text('broker_user_id'),
    api_key: text('api_key').notNull(),
    /** Sealed (crypto/sealed.ts), as is every credential in this database; null: erased with its account. */
    api_secret: text('api_secret'),
    /** `deleted`: kept for the orders that refer to it, and for nothing else. */
    status: text('status').$type<'active' | 'disabled' | 'deleted'>().notNull().default('active'),
    /** What its app at the broker is for: an account without market data opens no socket, one without trading sends no order. */
    market_data: boolean('market_data').notNull().default(true),
    trading: boolean('trading').notNull().default(true),
    /** Logs in and trades at the paper broker; its prices are those of other accounts. Never changes. */
    paper: boolean('paper').notNull().default(false),
    /** Which instances may own it: those that leave through the address that the broker knows for its app. */
    egress_group: text('egress_group').notNull().default('default'),
    max_connections: integer('max_connections').notNull().default(3),
    max_instruments_per_connection: integer('max_instruments_per_connection').notNull().default(3000),
    trading_state: text('trading_state')
      .$type<'ACTIVE' | 'REDUCING' | 'HALTED'>()
      .notNull()
      .default('ACTIVE'),
    trading_state_reason: text('trading_state_reason'),
    trading_state_at: at('trading_state_at'),
    /** The API key, or the instance, that changed it last. */
    trading_state_by: text('trading_state_by'),
    /** The kill switch was pulled; null again once nothing is open at the broker and nothing in doubt. */
    sweep_requested_at: at('sweep_requested_at'),
    /** Closed by the broker's own refusal (unregistered IP …); holds the broker's words until a person reopens it. */
    order_gate_reason: text('order_gate_reason'),
    session_version: bigint('session_version', { mode: 'number' }).notNull().default(0),
    event_seq: bigint('event_seq', { mode: 'number' }).notNull().default(0),
    owner_instance_id: uuid('owner_instance_id'),
    owner_epoch: bigint('owner_epoch', { mode: 'number' }),
    created_at: at('created_at').notNull().default(now),
    updated_at: at('updated_at').notNull().default(now),
  },
  (table) => [
    // The app of a deleted account may be added anew.
    uniqueIndex('accounts_broker_user').on(table.broker_user_id).where(sql`${table.status} <> 'deleted'`),
    uniqueIndex('accounts_api_key').on(table.api_key).where(sql`${table.status} <> 'deleted'`),
    // What a paper broker says of prices must not be taken for the market.
    check('accounts_paper_without_market_data', sql`not (${table.paper} and ${table.market_data})`),
  ],
)

/** One row per login. Only the row of accounts.session_version may be used. */
export const sessions = ticker.table(
  'sessions',
  {
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'cascade' }),
    version: bigint('version', { mode: 'number' }).notNull(),
    broker_user_id: text('broker_user_id').notNull(),
    user_name: text('user_name').notNull(),
    access_token: text('access_token').notNull(),
    status: text('status').$type<'active' | 'dead' | 'logged_out'>().notNull().default('active'),
    dead_reason: text('dead_reason'),
    /** Since when the broker refuses its sockets though the session lives; null again once one is open. */
    socket_refused_at: at('socket_refused_at'),
    login_at: at('login_at').notNull().default(now),
    expires_at: at('expires_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.account_id, table.version] })],
)

/** A login that was begun: signed state, single use, bound to the browser by a cookie. */
export const loginStates = ticker.table('login_states', {
  nonce_sha256: text('nonce_sha256').primaryKey(),
  account_id: text('account_id')
    .notNull()
    .references(() => accounts.id, { onDelete: 'cascade' }),
  cookie_sha256: text('cookie_sha256'),
  created_by: text('created_by').notNull(),
  expires_at: at('expires_at').notNull(),
  used_at: at('used_at'),
})
