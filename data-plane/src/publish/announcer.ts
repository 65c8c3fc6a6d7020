// Turns what happens in market data into events of the event stream.

import type { Mode } from '@ticker/shared/kite-wire'
import type { ChangeCounts } from '../instruments/changes.ts'
import type { DesiredChange } from '../market-data/desired-view.ts'
import type { InstrumentDirectory } from '../market-data/instrument-directory.ts'
import { type EventInstrument, type EventStream, INSTRUMENTS_PER_EVENT } from './event-stream.ts'

type SessionState = 'active' | 'parked' | 'none'

export interface Announcer {
  subscriptions(changes: readonly DesiredChange[]): void
  /** The accounts of this instance, as a whole; says what differs from the last call. */
  sessions(accounts: readonly { account_id: string; session: SessionState }[]): void
  gap(accountId: string, tokens: Iterable<number>): void
  instruments(snapshotId: number, changes: ChangeCounts): void
}

export function createAnnouncer(deps: {
  events: Pick<EventStream, 'emit'>
  directory(): InstrumentDirectory
}): Announcer {
  const { events } = deps
  let known = new Map<string, SessionState>()

  const described = (token: number): EventInstrument => {
    const instrument = deps.directory().byToken(token)
    return {
      instrument_token: token,
      exchange: instrument?.exchange ?? null,
      tradingsymbol: instrument?.tradingsymbol ?? null,
    }
  }

  return {
    subscriptions(changes) {
      for (const { owner, added, removed } of changes) {
        for (const batch of batches(added)) {
          const instruments = batch.map(([token, mode]: [number, Mode]) => ({ ...described(token), mode }))
          events.emit({ event_type: 'subscriptions_added', owner, instruments })
        }
        for (const batch of batches(removed))
          events.emit({ event_type: 'subscriptions_removed', owner, instruments: batch.map(described) })
      }
    },
    sessions(accounts) {
      const next = new Map(accounts.map(({ account_id, session }) => [account_id, session]))
      for (const [account_id, session] of next)
        if (known.get(account_id) !== session)
          events.emit({ event_type: 'session_changed', account_id, session })
      known = next
    },
    instruments(snapshotId, changes) {
      if (Object.keys(changes).length > 0)
        events.emit({ event_type: 'instruments_changed', snapshot_id: snapshotId, changes })
    },
    gap(accountId, tokens) {
      for (const batch of batches(tokens))
        events.emit({ event_type: 'gap', account_id: accountId, instruments: batch.map(described) })
    },
  }
}

function batches<T>(items: Iterable<T>): T[][] {
  const all = [...items]
  const count = Math.ceil(all.length / INSTRUMENTS_PER_EVENT)
  return Array.from({ length: count }, (_, index) =>
    all.slice(index * INSTRUMENTS_PER_EVENT, (index + 1) * INSTRUMENTS_PER_EVENT),
  )
}
