// `Authorization: token api_key:access_token`: our account id, and one of our API keys or a day token made with one
// (POST /v1/kite-tokens). Both are looked up: a revoked key's day token is worth nothing.
import { createTicketVerifier, readKiteToken } from '@ticker/shared/crypto'
import type { Scope } from '@ticker/shared/domain'
import { type Actor, mayUse } from '../auth/actor.ts'
import { API_KEY, type Keys } from '../auth/keys-lookup.ts'
import type { Dependencies } from '../dependencies.ts'
import { KiteFailure } from './envelope.ts'

export interface Identity {
  accountId: string
  actor: Actor
}

const CREDENTIALS = /^token ([^:]+):(.+)$/

export function createIdentify(deps: Dependencies, keys: Keys) {
  const verify = createTicketVerifier(deps.config.ticketKeys)

  async function actorOf(accountId: string, secret: string, beforeQuery: () => void) {
    if (API_KEY.test(secret)) return keys.bySecret(secret, beforeQuery)
    const verdict = await verify('kite', readKiteToken(secret), deps.clock.nowMs())
    if (!verdict.ok || !verdict.claims.account_ids?.includes(accountId)) return undefined
    return keys.byId(verdict.claims.key_id, beforeQuery)
  }

  /** undefined: bad credentials. */
  return async (header: string | undefined, beforeQuery: () => void): Promise<Identity | undefined> => {
    const [, accountId, secret] = CREDENTIALS.exec(header ?? '') ?? []
    if (accountId === undefined || secret === undefined) return undefined
    const actor = await actorOf(accountId, secret, beforeQuery)
    return actor && mayUse(actor, accountId) ? { accountId, actor } : undefined
  }
}

export function requireScope({ actor }: Identity, scope: Scope): void {
  if (!actor.scopes.has(scope))
    throw new KiteFailure(403, 'PermissionException', `The API key lacks the scope ${scope}.`)
}
