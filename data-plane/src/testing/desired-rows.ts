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

export async function subscribe(db: Queries, symbol: string, mode = 'full', owner = 'desk', source = 'api') {
  await db.query(
    `insert into ticker.subscriptions (exchange, tradingsymbol, source, mode, owner, created_by)
     values ('NSE', $1, $4, $2, $3, 'test')`,
    [symbol, mode, owner, source],
  )
}

export async function moveVersion(db: Queries, column: 'subscriptions_version' | 'instruments_version') {
  await db.query(`update ticker.fleet set ${column} = ${column} + 1`)
}
