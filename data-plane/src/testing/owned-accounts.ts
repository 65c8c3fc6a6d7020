import { Secret } from '@ticker/shared/crypto'
import type { ObservedAccount } from '../ownership/instance-store.ts'
import type { BrokerSession, OwnedAccount } from '../ownership/owned-account.ts'

export function brokerSession(version: number, accessToken = `token-${version}`): BrokerSession {
  return {
    version,
    brokerUserId: 'AB1234',
    accessToken: new Secret(accessToken),
    expiresAtMs: Number.MAX_SAFE_INTEGER,
  }
}

export function ownedAccount(accountId: string, changes: Partial<OwnedAccount> = {}): OwnedAccount {
  return {
    accountId,
    owner: 'desk',
    apiKey: `api-${accountId}`,
    epoch: 1,
    maxConnections: 3,
    maxInstrumentsPerConnection: 3_000,
    socketRefused: false,
    session: brokerSession(1),
    ...changes,
  }
}

/** As the versions query sees an account that is logged in. */
export function observedAccount(accountId: string, changes: Partial<ObservedAccount> = {}): ObservedAccount {
  return {
    account_id: accountId,
    active: true,
    owner: 'desk',
    api_key: `api-${accountId}`,
    market_data: true,
    trading: true,
    paper: false,
    max_connections: 3,
    max_instruments_per_connection: 3_000,
    trading_state: 'ACTIVE',
    own_trading_state: 'ACTIVE',
    trading_state_reason: null,
    sweep_requested_at: null,
    order_gate_reason: null,
    session_version: 1,
    session_live: true,
    socket_refused: false,
    due_orders: false,
    due_changes: false,
    live_batches: false,
    due_writes: false,
    live_exits: false,
    postback_hints: false,
    ...changes,
  }
}
