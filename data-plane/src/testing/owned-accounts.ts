import { Secret } from '@ticker/shared/crypto'
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
