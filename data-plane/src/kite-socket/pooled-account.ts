// An account in the pool: what it should stream, and the sockets it has for that.
import type { OwnedAccount } from '../ownership/owned-account.ts'
import type { SessionRefusals } from './connection.ts'
import { NOTHING, type Slot } from './slot.ts'
import type { Target } from './subscription-frames.ts'

export interface PooledAccount {
  account: OwnedAccount
  target: Target
  connections: Slot[]
  /** How many of them are for something; those after them are closed once others bring what they hold. */
  needed: number
  /** No socket has been open since one was: order updates were lost, and the next one to open says so. */
  missesUpdates: boolean
  parked: boolean
  refusals: SessionRefusals
}

export function newAccount(account: OwnedAccount, missesUpdates: boolean): PooledAccount {
  const refusals = { version: 0, count: 0 }
  const state = { needed: 0, missesUpdates, parked: false }
  return { account, target: NOTHING, connections: [], refusals, ...state }
}

/** As far as the pool is concerned. */
export function isSameAccount(a: OwnedAccount, b: OwnedAccount): boolean {
  return (
    a.session?.version === b.session?.version &&
    a.apiKey === b.apiKey &&
    a.maxConnections === b.maxConnections &&
    a.maxInstrumentsPerConnection === b.maxInstrumentsPerConnection
  )
}
