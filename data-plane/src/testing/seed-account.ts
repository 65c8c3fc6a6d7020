// Rows as the control plane writes them, for tests of the data plane alone.
import { parseKeyRing, Secret, seal } from '@ticker/shared/crypto'
import { type ModifyOrder, newId, type PlaceOrder } from '@ticker/shared/domain'
import type pg from 'pg'

export const testKeys = parseKeyRing('CREDENTIAL_KEYS', `k1:${Buffer.alloc(32, 7).toString('base64')}`)

export async function seedAccount(pool: pg.Pool, accountId: string): Promise<void> {
  await pool.query(
    `insert into ticker.accounts (id, name, owner, api_key, api_secret, broker_user_id) values ($1, $1, 'desk', $2, $3, $4)`,
    [
      accountId,
      `app-${accountId}`,
      await seal(testKeys, accountId, 'api_secret', new Secret('secret')),
      accountId.toUpperCase(),
    ],
  )
}

export async function seedSession(
  pool: pg.Pool,
  accountId: string,
  token: string,
  livesFor = '1 day',
): Promise<number> {
  const sealed = await seal(testKeys, accountId, 'access_token', new Secret(token))
  const { rows } = await pool.query<{ version: string }>(
    `with a as (update ticker.accounts set session_version = session_version + 1 where id = $1 returning session_version, broker_user_id)
     insert into ticker.sessions (account_id, version, broker_user_id, user_name, access_token, expires_at)
     select $1, session_version, broker_user_id, 'Test', $2, now() + $3::interval from a returning version`,
    [accountId, sealed, livesFor],
  )
  return Number(rows[0]?.version)
}

export async function seedIntent(
  pool: pg.Pool,
  accountId: string,
  options: { tag: string; expiresInMs?: number; price?: number; request?: Partial<PlaceOrder> },
): Promise<string> {
  const id = newId('ord')
  const request: PlaceOrder = {
    account_id: accountId,
    variety: 'regular',
    exchange: 'NSE',
    tradingsymbol: 'INFY',
    transaction_type: 'BUY',
    quantity: 1,
    product: 'CNC',
    order_type: 'LIMIT',
    price: options.price ?? 1500,
    validity: 'DAY',
    expires_in_s: 30,
    ...options.request,
  }
  await pool.query(
    `insert into ticker.order_intents (id, account_id, idempotency_key, request_sha256, request, tag, deadline, created_by)
     values ($1, $2, $1, 'hash', $3, $4, now() + $5::float8 * interval '1 millisecond', 'test')`,
    [id, accountId, JSON.stringify(request), options.tag, options.expiresInMs ?? 30_000],
  )
  return id
}

/** A cancel or a modify as the control plane stores it, of an intent or of a broker's order. */
export async function seedChange(
  pool: pg.Pool,
  accountId: string,
  of: { intentId?: string; orderId?: string },
  fields?: Partial<ModifyOrder>,
): Promise<string> {
  const id = newId('chg')
  await pool.query(
    `with asked as (
       update ticker.order_intents set cancel_requested_at = now() where id = $3 and $5 = 'cancel' and $4::text is null)
     insert into ticker.order_changes (id, account_id, idempotency_key, request_sha256, kind, intent_id, order_id, fields,
       deadline, created_by)
     values ($1, $2, $1, 'hash', $5, $3, $4, $6, case when $5 = 'modify' then now() + interval '30 seconds' end, 'test')`,
    [
      id,
      accountId,
      of.intentId ?? null,
      of.orderId ?? null,
      fields ? 'modify' : 'cancel',
      fields ? JSON.stringify({ expires_in_s: 30, ...fields }) : null,
    ],
  )
  return id
}
