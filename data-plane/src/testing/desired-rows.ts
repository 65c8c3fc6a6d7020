// Rows of desired state for tests against a real Postgres.
import type { Queries } from '../market-data/desired.ts'

export async function addAccount(db: Queries, id: string, owner = 'desk') {
  await db.query(
    `insert into ticker.accounts (id, name, owner, api_key, api_secret, session_version)
     values ($1, $1, $2, 'key-' || $1, 'sealed', 0)`,
    [id, owner],
  )
}

export async function addSession(db: Queries, accountId: string, version: number, status = 'active') {
  await db.query(
    `insert into ticker.sessions (account_id, version, broker_user_id, user_name, access_token, status, expires_at)
     values ($1, $2, 'AB1234', 'User', 'sealed', $3, now() + interval '8 hours')`,
    [accountId, version, status],
  )
  await db.query('update ticker.accounts set session_version = $2 where id = $1', [accountId, version])
}

export async function addInstrument(db: Queries, token: number, symbol: string, isActive = true) {
  await db.query(
    `insert into ticker.instruments (exchange, tradingsymbol, instrument_token, exchange_token, name, strike,
       tick_size, lot_size, instrument_type, segment, snapshot_id, is_active)
     values ('NSE', $2, $1, $3, $2, 0, 0.05, 1, 'EQ', 'NSE', 1, $4)`,
    [token, symbol, Math.floor(token / 256), isActive],
  )
}

/** As PUT /v1/subscriptions does: the row, the version and what it changed. */
export async function subscribe(db: Queries, symbol: string, mode = 'full', owner = 'desk', source = 'api') {
  await db.query(
    `with moved as (
       update ticker.fleet set subscriptions_version = subscriptions_version + 1 returning subscriptions_version as v
     ), logged as (
       insert into ticker.subscription_changes (version, owner, source, exchanges, tradingsymbols)
       select v, $3, $4, array['NSE'], array[$1] from moved
     )
     insert into ticker.subscriptions (exchange, tradingsymbol, source, mode, owner, created_by)
     values ('NSE', $1, $4, $2, $3, 'test')`,
    [symbol, mode, owner, source],
  )
}

/** A new dump. */
export async function moveInstruments(db: Queries) {
  await db.query('update ticker.fleet set instruments_version = instruments_version + 1')
}

/** The index NIFTY 50 with options every 50 from 24,000 to 26,000 that expire in a week, CE and PE. */
export async function addOptionChain(db: Queries) {
  await db.query(
    `insert into ticker.instruments (exchange, tradingsymbol, instrument_token, exchange_token, name, expiry, strike,
       tick_size, lot_size, instrument_type, segment, snapshot_id)
     select 'NFO', 'NIFTY' || strike || type, (40000 + 2 * strike + ascii(type)) * 256 + 2, 1, 'NIFTY',
       (now() at time zone 'Asia/Kolkata')::date + 7, strike, 0.05, 75, type, 'NFO-OPT', 1
     from generate_series(24000, 26000, 50) strike, unnest(array['CE', 'PE']) type
     union all select 'NSE', 'NIFTY 50', 256265, 1001, 'NIFTY 50', null, 0, 0, 0, 'EQ', 'INDICES', 1`,
  )
}

/** ATM ± one strike of the nearest expiry, in quote. */
export async function addLadder(db: Queries, underlying: string, owner = 'desk') {
  await db.query(
    `with moved as (update ticker.fleet set ladders_version = ladders_version + 1)
     insert into ticker.strike_ladders (owner, id, revision, underlying, exchange, strikes, expiries, option_types,
       futures, mode, instruments_max, created_by)
     values ($2, $1, gen_random_uuid(), $1, 'NFO', 1, 1, '{CE,PE}', false, 'quote', 100, 'test')`,
    [underlying, owner],
  )
}
