// What people and the API are told of the sockets of an account.
import type { Clock } from '../clock.ts'
import type { ConnectionStateName, KiteConnection } from './connection.ts'
import type { PooledAccount } from './pooled-account.ts'

/** A reconnect is shorter; a socket that stays away longer is for a person to know. */
const DOWN_UNFIT_MS = 30_000

export interface PoolConnectionStatus {
  state: ConnectionStateName
  instruments: number
  last_tick_age_ms: number | null
}

export interface PoolAccountStatus {
  account_id: string
  session: 'none' | 'active' | 'parked'
  connections: PoolConnectionStatus[]
}

export function statusOf({ account, parked, connections }: PooledAccount, clock: Clock): PoolAccountStatus {
  return {
    account_id: account.accountId,
    session: account.session ? (parked ? 'parked' : 'active') : 'none',
    connections: connections.map(({ connection }) => {
      const ageMs = tickAgeMs(connection, clock)
      return {
        state: connection.state(),
        instruments: connection.instruments(),
        last_tick_age_ms: ageMs === undefined ? null : Math.round(ageMs),
      }
    }),
  }
}

export function tickAgeMs(connection: KiteConnection, clock: Clock): number | undefined {
  const lastTickMs = connection.lastTickMs()
  return lastTickMs === undefined ? undefined : clock.monotonicMs() - lastTickMs
}

/** Sockets that stay away. Refused ones of a parked account are told of as its session. */
export function downOf({ parked, connections }: PooledAccount, clock: Clock): string[] {
  const nowMs = clock.monotonicMs()
  return connections.flatMap(({ downSinceMs, watched, target }) => {
    if (parked || downSinceMs === undefined || nowMs - downSinceMs < DOWN_UNFIT_MS) return []
    const seconds = Math.round((nowMs - downSinceMs) / 1000)
    return [`${watched.label}: its socket is down for ${seconds} s, ${target.size} instruments do not tick`]
  })
}
