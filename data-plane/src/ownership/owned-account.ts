import type { Secret } from '@ticker/shared/crypto'
import type { Credentials } from '@ticker/shared/kite-http'

/** The session that may be used now: version `session.version` of the account and no other. */
export interface BrokerSession {
  version: number
  brokerUserId: string
  accessToken: Secret
  expiresAtMs: number
  /** Where it is valid; undefined: at the broker itself. */
  root?: string | undefined
}

/** An account this instance holds the lease of, as last read from Postgres. Immutable; replaced as a whole. */
export interface OwnedAccount {
  accountId: string
  owner: string
  apiKey: string
  epoch: number
  maxConnections: number
  maxInstrumentsPerConnection: number
  /** The broker refuses its sockets though the session lives; they are tried again all the same. */
  socketRefused: boolean
  /** undefined: not logged in, logged out, expired, or found dead. */
  session: BrokerSession | undefined
}

export function credentialsOf({ apiKey }: Pick<OwnedAccount, 'apiKey'>, session: BrokerSession): Credentials {
  return { api_key: apiKey, access_token: session.accessToken, root: session.root }
}
