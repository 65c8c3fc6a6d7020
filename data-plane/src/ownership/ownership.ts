// Holds this instance's lease and tells the rest of the process which accounts it owns and what moved.
// Level-triggered: a pass every 2 s, or at once on wake(); a nudge lost costs that long and nothing else.
import { Gauge, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import type { Observation, ObservedAccount } from './instance-store.ts'
import { createLeaseClock, type LeaseClock } from './lease-clock.ts'
import type { BrokerSession, OwnedAccount } from './owned-account.ts'

export const PASS_INTERVAL_MS = 2_000
/** Without the database, market data goes on this long before the sockets are given up. */
const KEEP_SOCKETS_MS = 120_000

export interface InstanceStore {
  register(): Promise<number>
  renewAndObserve(epoch: number): Promise<Observation | undefined>
  claimAccounts(epoch: number): Promise<string[]>
  release(epoch: number): Promise<void>
  readSession(accountId: string, version: number): Promise<BrokerSession | undefined>
}

export interface OwnershipView {
  epoch: number
  observation: Observation
  accounts: readonly (OwnedAccount & { observed: ObservedAccount })[]
}

export interface Ownership {
  lease: LeaseClock
  run(signal: AbortSignal): Promise<void>
  wake(): void
  /** undefined until the first pass, and when everything was given up. */
  view(): OwnershipView | undefined
  /** Age of the last pass that reached the database. */
  lastPassAgeMs(): number
  /** Accounts whose session is live but cannot be opened here. */
  unopened(): string[]
  release(): Promise<void>
}

export interface OwnershipDeps {
  store: InstanceStore
  clock: Clock
  log: Log
  registry: Registry
  onView(view: OwnershipView): void
}

export function createOwnership(deps: OwnershipDeps): Ownership {
  const { store, clock, log } = deps
  const lease = createLeaseClock(clock)
  const sessions = new Map<string, BrokerSession>()
  const unopened = new Set<string>()
  let epoch: number | undefined
  let view: OwnershipView | undefined
  let lastPassMs = clock.monotonicMs()
  let wakeUp = () => {}
  const owned = new Gauge({
    name: 'ticker_accounts_owned',
    help: 'Broker accounts this instance owns',
    registers: [deps.registry],
  })
  const epochGauge = new Gauge({
    name: 'ticker_instance_epoch',
    help: 'Epoch of this instance',
    registers: [deps.registry],
  })

  async function pass() {
    if (epoch === undefined) {
      const sentAt = lease.read()
      epoch = await store.register()
      lease.renewed(sentAt)
      epochGauge.set(epoch)
      log.info({ epoch }, 'instance registered')
    }
    const sentAt = lease.read()
    let observation = await store.renewAndObserve(epoch)
    if (observation?.unowned_accounts) {
      const claimed = await store.claimAccounts(epoch)
      if (claimed.length > 0) log.info({ epoch, accounts: claimed }, 'accounts claimed')
      observation = await store.renewAndObserve(epoch)
    }
    if (!observation) {
      log.warn({ epoch }, 'lease lost; registering again')
      lease.lost()
      epoch = undefined
      return wake()
    }
    lease.renewed(sentAt)
    publish({ epoch, observation, accounts: await withSessions(epoch, observation) })
    lastPassMs = clock.monotonicMs()
  }

  async function withSessions(currentEpoch: number, observation: Observation) {
    const accounts: OwnershipView['accounts'][number][] = []
    for (const observed of observation.accounts) {
      accounts.push({
        accountId: observed.account_id,
        owner: observed.owner,
        apiKey: observed.api_key,
        epoch: currentEpoch,
        maxConnections: observed.max_connections,
        maxInstrumentsPerConnection: observed.max_instruments_per_connection,
        socketRefused: observed.socket_refused,
        session: await sessionOf(observed),
        observed,
      })
    }
    for (const id of sessions.keys()) {
      if (!observation.accounts.some((account) => account.account_id === id)) sessions.delete(id)
    }
    for (const id of unopened) {
      if (!observation.accounts.some((account) => account.account_id === id && account.session_live))
        unopened.delete(id)
    }
    return accounts
  }

  async function sessionOf(observed: ObservedAccount): Promise<BrokerSession | undefined> {
    if (!observed.session_live) {
      sessions.delete(observed.account_id)
      return undefined
    }
    const known = sessions.get(observed.account_id)
    if (known?.version === observed.session_version) return known
    const session = await store
      .readSession(observed.account_id, observed.session_version)
      .catch((error: unknown) => {
        // One account's trouble (a key that CREDENTIAL_KEYS lacks) is not the others'.
        log.error({ account_id: observed.account_id, error }, 'session cannot be opened')
        unopened.add(observed.account_id)
        return undefined
      })
    if (session) {
      unopened.delete(observed.account_id)
      sessions.set(observed.account_id, session)
      log.info({ account_id: observed.account_id, session_version: session.version }, 'session taken up')
    }
    return session
  }

  function publish(next: OwnershipView) {
    view = next
    owned.set(next.accounts.length)
    deps.onView(next)
  }

  function giveUpWhenStale() {
    if (view && view.accounts.length > 0 && clock.monotonicMs() - lastPassMs > KEEP_SOCKETS_MS) {
      log.error(
        { accounts: view.accounts.map((account) => account.accountId) },
        'database lost for too long; sockets given up',
      )
      publish({ ...view, accounts: [] })
    }
  }

  function wake() {
    wakeUp()
  }

  return {
    lease,
    wake,
    view: () => view,
    unopened: () => [...unopened],
    lastPassAgeMs: () => clock.monotonicMs() - lastPassMs,
    async run(signal) {
      while (!signal.aborted) {
        const woken = new AbortController()
        wakeUp = () => woken.abort()
        try {
          await pass()
        } catch (error) {
          log.warn({ error, age_ms: clock.monotonicMs() - lastPassMs }, 'lease not renewed')
          giveUpWhenStale()
        }
        await clock.sleep(PASS_INTERVAL_MS, AbortSignal.any([signal, woken.signal]))
      }
    },
    async release() {
      lease.lost()
      if (epoch !== undefined) await store.release(epoch)
    },
  }
}
