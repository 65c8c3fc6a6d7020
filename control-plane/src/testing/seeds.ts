// Rows that the other plane, or an operator, would have written.
import { randomUUID } from 'node:crypto'
import type { TestDatabase } from '@ticker/infra/testing'
import { randomToken, sha256Hex } from '@ticker/shared/crypto'
import { newId, type Scope } from '@ticker/shared/domain'

export interface SeededKey {
  id: string
  secret: string
}

export function seeds(pool: TestDatabase['pool']) {
  return {
    async apiKey(input: {
      owner: string
      scopes: Scope[]
      account_ids?: string[]
      refuse_repeats_s?: number
    }): Promise<SeededKey> {
      const id = newId('key')
      const secret = `${id}_${randomToken()}`
      await pool.query(
        `insert into ticker.api_keys (id, name, owner, secret_sha256, scopes, account_ids, refuse_repeats_s)
         values ($1, 'test', $2, $3, $4, $5, $6)`,
        [
          ...[id, input.owner, await sha256Hex(secret), input.scopes, input.account_ids ?? null],
          input.refuse_repeats_s ?? null,
        ],
      )
      return { id, secret }
    },

    async instance(streamUrl = 'http://127.0.0.1:8080'): Promise<string> {
      const id = randomUUID()
      await pool.query(
        `insert into ticker.instances (id, epoch, lease_until, stream_url, version)
         values ($1, nextval('ticker.instance_epoch'), now() + interval '1 hour', $2, 'test')`,
        [id, streamUrl],
      )
      return id
    },

    async account(
      id: string,
      more: { owner?: string; instance?: string; loggedIn?: boolean; room?: number } = {},
    ): Promise<void> {
      await pool.query(
        `insert into ticker.accounts (id, name, owner, api_key, api_secret, owner_instance_id, owner_epoch,
           session_version, max_connections, max_instruments_per_connection)
         values ($1, $1, $2, $3, 'sealed', $4, 1, $5, 1, $6)`,
        [
          id,
          more.owner ?? 'desk',
          `api-${id}`,
          more.instance ?? null,
          more.loggedIn ? 1 : 0,
          more.room ?? 3000,
        ],
      )
      if (more.loggedIn) {
        await pool.query(
          `insert into ticker.sessions (account_id, version, broker_user_id, user_name, access_token, expires_at)
           values ($1, 1, 'AB1234', 'A Trader', 'sealed', now() + interval '6 hours')`,
          [id],
        )
      }
    },

    /** INFY, SBIN, the NIFTY index, and an option with lot 75 and tick 0.05. */
    async instruments(): Promise<void> {
      await pool.query(
        `insert into ticker.instruments (exchange, tradingsymbol, instrument_token, exchange_token, name, expiry,
           strike, tick_size, lot_size, instrument_type, segment, snapshot_id, is_active) values
         ('NSE', 'INFY', 408065, 1594, 'INFOSYS', null, 0, 0.05, 1, 'EQ', 'NSE', 1, true),
         ('NSE', 'SBIN', 779521, 3045, 'STATE BANK OF INDIA', null, 0, 0.05, 1, 'EQ', 'NSE', 1, true),
         ('NSE', 'NIFTY 50', 256265, 1001, 'NIFTY 50', null, 0, 0, 0, 'EQ', 'INDICES', 1, true),
         ('NSE', 'GONE', 999937, 3906, 'GONE', null, 0, 0.05, 1, 'EQ', 'NSE', 0, false),
         ('NFO', 'NIFTY26DEC24000CE', 12345602, 48225, 'NIFTY', '2026-12-29', 24000, 0.05, 75, 'CE', 'NFO-OPT', 1, true),
         ('NFO', 'NIFTY26DEC25000PE', 12345858, 48226, 'NIFTY', '2026-12-29', 25000, 0.05, 75, 'PE', 'NFO-OPT', 1, true)`,
      )
    },
  }
}
