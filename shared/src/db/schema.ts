// The tables both planes agree on. Postgres is the truth: desired state, sessions, intents and leases live here,
// a message on Redis only says "look again". Forward-only migrations in ./migrations (pnpm db:generate).
import { sql } from 'drizzle-orm'
import {
  bigint,
  boolean,
  check,
  date,
  foreignKey,
  index,
  integer,
  jsonb,
  numeric,
  pgSchema,
  primaryKey,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'

export const ticker = pgSchema('ticker')

const at = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'string' })
const now = sql`now()`

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
    trading_state: text('trading_state')
      .$type<'ACTIVE' | 'REDUCING' | 'HALTED'>()
      .notNull()
      .default('ACTIVE'),
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
})

/** Every registration of an instance takes the next epoch; acts of an older epoch are fenced off. */
export const instanceEpoch = ticker.sequence('instance_epoch')

export const accounts = ticker.table(
  'accounts',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    owner: text('owner').notNull(),
    broker_user_id: text('broker_user_id'),
    api_key: text('api_key').notNull(),
    /** Sealed (crypto/sealed.ts), as is every credential in this database. */
    api_secret: text('api_secret').notNull(),
    status: text('status').$type<'active' | 'disabled'>().notNull().default('active'),
    max_connections: integer('max_connections').notNull().default(3),
    max_instruments_per_connection: integer('max_instruments_per_connection').notNull().default(3000),
    trading_state: text('trading_state')
      .$type<'ACTIVE' | 'REDUCING' | 'HALTED'>()
      .notNull()
      .default('ACTIVE'),
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
    uniqueIndex('accounts_broker_user').on(table.broker_user_id),
    uniqueIndex('accounts_api_key').on(table.api_key),
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

export const apiKeys = ticker.table(
  'api_keys',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    owner: text('owner').notNull(),
    secret_sha256: text('secret_sha256').notNull(),
    scopes: text('scopes').array().notNull(),
    /** null: every account of the same owner. */
    account_ids: text('account_ids').array(),
    expires_at: at('expires_at'),
    revoked_at: at('revoked_at'),
    created_at: at('created_at').notNull().default(now),
  },
  (table) => [uniqueIndex('api_keys_secret').on(table.secret_sha256)],
)

/** The broker's dump. The key is exchange:tradingsymbol; tokens are reused after expiry (KITE.md 6). */
export const instruments = ticker.table(
  'instruments',
  {
    exchange: text('exchange').notNull(),
    tradingsymbol: text('tradingsymbol').notNull(),
    instrument_token: bigint('instrument_token', { mode: 'number' }).notNull(),
    exchange_token: bigint('exchange_token', { mode: 'number' }).notNull(),
    name: text('name').notNull(),
    expiry: date('expiry', { mode: 'string' }),
    strike: numeric('strike', { precision: 18, scale: 4 }).notNull(),
    tick_size: numeric('tick_size', { precision: 18, scale: 4 }).notNull(),
    lot_size: integer('lot_size').notNull(),
    instrument_type: text('instrument_type').notNull(),
    segment: text('segment').notNull(),
    snapshot_id: bigint('snapshot_id', { mode: 'number' }).notNull(),
    is_active: boolean('is_active').notNull().default(true),
  },
  (table) => [
    primaryKey({ columns: [table.exchange, table.tradingsymbol] }),
    uniqueIndex('instruments_active_token').on(table.instrument_token).where(sql`${table.is_active}`),
    index('instruments_symbol_prefix').on(sql`${table.tradingsymbol} text_pattern_ops`),
    index('instruments_name').on(table.name, table.expiry, table.strike),
  ],
)

/** One row per accepted dump; instruments of an older snapshot are inactive (mark and sweep). */
export const instrumentSnapshots = ticker.table('instrument_snapshots', {
  id: bigint('id', { mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  fetched_at: at('fetched_at').notNull().default(now),
  row_count: integer('row_count').notNull(),
  sha256: text('sha256').notNull(),
})

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

/** What a caller asked to be sent to the broker, stored before anything is sent (RELIABILITY orders 1–7). */
export const orderIntents = ticker.table(
  'order_intents',
  {
    id: text('id').primaryKey(),
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id),
    idempotency_key: text('idempotency_key').notNull(),
    request_sha256: text('request_sha256').notNull(),
    request: jsonb('request').notNull(),
    state: text('state').notNull().default('QUEUED'),
    tag: text('tag').notNull(),
    client_tag: text('client_tag'),
    deadline: at('deadline').notNull(),
    sending_epoch: bigint('sending_epoch', { mode: 'number' }),
    sending_at: at('sending_at'),
    session_version: bigint('session_version', { mode: 'number' }),
    not_before: at('not_before'),
    attempts: integer('attempts').notNull().default(0),
    broker_order_id: text('broker_order_id'),
    /** Closed code and public words of a refusal, rejection or doubt. */
    reason_code: text('reason_code'),
    reason: text('reason'),
    next_read_at: at('next_read_at'),
    reads: integer('reads').notNull().default(0),
    created_by: text('created_by').notNull(),
    created_at: at('created_at').notNull().default(now),
    updated_at: at('updated_at').notNull().default(now),
  },
  (table) => [
    uniqueIndex('order_intents_idempotency').on(table.account_id, table.idempotency_key),
    uniqueIndex('order_intents_tag').on(table.account_id, table.tag),
    index('order_intents_open')
      .on(table.account_id, table.created_at)
      .where(sql`${table.state} in ('QUEUED', 'SENDING', 'UNKNOWN')`),
    index('order_intents_list').on(table.account_id, table.id),
  ],
)

/** One intent may have many broker orders (autoslice, iceberg, CO). */
export const intentOrders = ticker.table(
  'intent_orders',
  {
    account_id: text('account_id').notNull(),
    order_id: text('order_id').notNull(),
    intent_id: text('intent_id')
      .notNull()
      .references(() => orderIntents.id),
  },
  (table) => [
    primaryKey({ columns: [table.account_id, table.order_id] }),
    index('intent_orders_intent').on(table.intent_id),
  ],
)

/** One monotonic record per broker order, merged from socket, postback and book; intent_id null means external. */
export const orders = ticker.table(
  'orders',
  {
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id),
    order_id: text('order_id').notNull(),
    intent_id: text('intent_id'),
    status: text('status').notNull(),
    /** How far the status is along an order's life; breaks ties between updates of one second. */
    status_rank: smallint('status_rank').notNull(),
    status_message: text('status_message'),
    exchange: text('exchange').notNull(),
    tradingsymbol: text('tradingsymbol').notNull(),
    transaction_type: text('transaction_type').notNull(),
    quantity: integer('quantity').notNull(),
    filled_quantity: integer('filled_quantity').notNull(),
    average_price: numeric('average_price', { precision: 18, scale: 4 }).notNull(),
    broker_updated_at: at('broker_updated_at').notNull(),
    broker_order: jsonb('broker_order').notNull(),
    updated_at: at('updated_at').notNull().default(now),
  },
  (table) => [
    primaryKey({ columns: [table.account_id, table.order_id] }),
    index('orders_intent').on(table.intent_id),
    index('orders_list').on(table.account_id, table.broker_updated_at),
  ],
)

/** Append-only; seq is taken from accounts.event_seq in the same statement, so a cursor never skips a late commit. */
export const orderEvents = ticker.table(
  'order_events',
  {
    account_id: text('account_id').notNull(),
    seq: bigint('seq', { mode: 'number' }).notNull(),
    kind: text('kind').notNull(),
    intent_id: text('intent_id'),
    order_id: text('order_id'),
    detail: jsonb('detail').notNull(),
    at: at('at').notNull().default(now),
  },
  (table) => [
    primaryKey({ columns: [table.account_id, table.seq] }),
    index('order_events_intent').on(table.intent_id),
  ],
)

/** A verified postback: a hint that this order changed. The owner re-reads the order and deletes the row. */
export const postbackHints = ticker.table(
  'postback_hints',
  {
    account_id: text('account_id')
      .notNull()
      .references(() => accounts.id, { onDelete: 'cascade' }),
    order_id: text('order_id').notNull(),
    received_at: at('received_at').notNull().default(now),
  },
  (table) => [primaryKey({ columns: [table.account_id, table.order_id] })],
)

export const auditLog = ticker.table(
  'audit_log',
  {
    id: text('id').primaryKey(),
    at: at('at').notNull().default(now),
    actor: text('actor').notNull(),
    action: text('action').notNull(),
    subject: text('subject').notNull(),
    outcome: text('outcome').$type<'allowed' | 'denied'>().notNull(),
    request_id: text('request_id'),
    detail: jsonb('detail').notNull(),
  },
  (table) => [index('audit_log_at').on(table.at)],
)
