// Who may stream: a ticket of ours that is not expired, of a key that is not revoked, from an address that has not
// failed too often, while there is room. The same for every transport of /v1/stream.
import { createTicketVerifier, type KeyRing } from '@ticker/shared/crypto'
import type { Clock } from '../clock.ts'
import type { AllClients } from './all-clients.ts'
import type { StreamIdentity } from './hub.ts'
import type { IsKeyRevoked } from './key-revocations.ts'
import type { StreamMetrics } from './metrics.ts'
import { createFailureLimit } from './upgrade.ts'

export type Admission =
  | { ok: true; identity: StreamIdentity }
  | { ok: false; status: 401 | 429 | 503; message: string }

/** `howTo` is said to a caller whose ticket is refused. */
export type Admit = (address: string, ticket: string, howTo: string) => Promise<Admission>

export function createAdmission(deps: {
  clock: Clock
  all: AllClients
  metrics: StreamMetrics
  ticketKeys: KeyRing
  isKeyRevoked: IsKeyRevoked
  stopping(): boolean
}): Admit {
  const { clock, metrics } = deps
  const failures = createFailureLimit(clock)
  const verify = createTicketVerifier(deps.ticketKeys)

  function refuse(status: 401 | 429 | 503, reason: string, message: string): Admission {
    metrics.refused.inc({ reason })
    return { ok: false, status, message }
  }

  function closed(): Admission | undefined {
    if (deps.stopping()) return refuse(503, 'stopping', 'Restarting; connect again.')
    if (!deps.all.hasRoom()) return refuse(503, 'full', 'Too many clients.')
    return undefined
  }

  return async (address, ticket, howTo) => {
    const atOnce = closed()
    if (atOnce) return atOnce
    if (failures.exceeded(address)) return refuse(429, 'rate_limited', 'Too many failed tickets.')
    const verdict = await verify('stream', ticket, clock.nowMs())
    if (!verdict.ok || (await deps.isKeyRevoked(verdict.claims.key_id))) {
      failures.failed(address)
      return refuse(401, verdict.ok ? 'key_revoked' : verdict.reason, howTo)
    }
    const { claims, expiresAtMs } = verdict
    const { key_id: keyId, owner, instruments_max: instrumentsMax } = claims
    if (!deps.all.hasRoomFor(keyId)) return refuse(429, 'key_full', 'Too many clients of this API key.')
    // Looked at again: who joins after everyone was sent away would never be told.
    const orderAccounts = !claims.orders_read ? undefined : claims.account_ids && new Set(claims.account_ids)
    const identity = { keyId, owner, accountId: null, instrumentsMax, expiresAtMs, orderAccounts }
    return closed() ?? { ok: true, identity }
  }
}
