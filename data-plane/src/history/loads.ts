// Serves the ranges that users wait for: takes those of owners whose accounts are logged in here, a few at a time and no
// owner more than its share. Level-triggered: a nudge only makes it look at once, and what it was at when it died is taken
// over by whoever looks next.
import type { Log } from '../operations/log.ts'
import type { OwnedAccount } from '../ownership/owned-account.ts'
import { type LoadDaysDeps, type Loaded, loadDays } from './load-days.ts'
import { endUnservable, finishLoad, giveBackLoad, holdLoad, type Load, takeLoad } from './load-store.ts'

const LOOK_INTERVAL_MS = 5_000
/** Well within the time that a load is held for. */
const HOLD_INTERVAL_MS = 10_000
const RUNNING_MAX = 12
const RUNNING_MAX_PER_OWNER = 3

export interface HistoryLoads {
  run(signal: AbortSignal, isWell: () => void): Promise<void>
  /** Somebody may have asked. */
  wake(): void
}

export interface HistoryLoadsDeps extends LoadDaysDeps {
  instanceId: string
  log: Log
  /** With a living session, for market data. */
  accounts(): readonly OwnedAccount[]
}

export function createHistoryLoads(deps: HistoryLoadsDeps): HistoryLoads {
  const { pool, instanceId, clock, log, metrics } = deps
  const running = new Map<string, { owner: string; ended: Promise<void> }>()
  let woken = new AbortController()

  function ownersToServe(): string[] {
    const count = (owner: string) => [...running.values()].filter((each) => each.owner === owner).length
    const owners = new Set(deps.accounts().map(({ owner }) => owner))
    return [...owners].filter((owner) => count(owner) < RUNNING_MAX_PER_OWNER)
  }

  const accountsOf = ({ owner, accountIds }: Load) =>
    deps
      .accounts()
      .filter((each) => each.owner === owner && (accountIds === null || accountIds.includes(each.accountId)))

  async function serve(load: Load, signal: AbortSignal) {
    let calls = 0
    const stop = new AbortController()
    const hold = async () => {
      const since = calls
      calls = 0
      const isHeld = await holdLoad(pool, instanceId, load.id, since)
      if (!isHeld) stop.abort()
      return isHeld
    }
    /** A request may wait for its turn and be tried again for longer than a load is held. */
    const holding = (async () => {
      while (!stop.signal.aborted) {
        await clock.sleep(HOLD_INTERVAL_MS, stop.signal)
        if (!stop.signal.aborted)
          await hold().catch((error: unknown) => log.warn({ error }, 'history load not held'))
      }
    })()
    let loaded: Loaded
    try {
      loaded = await loadDays(
        deps,
        {
          ...load,
          priority: 'user',
          accounts: () => accountsOf(load),
          onCall: () => {
            calls += 1
          },
          onStored: hold,
        },
        AbortSignal.any([signal, stop.signal]),
      )
    } catch (error) {
      log.error({ error, load_id: load.id }, 'history load failed')
      const detail = 'it could not be stored; the log of the data plane says why'
      loaded = { ok: false, failure: { code: 'internal', detail } }
    }
    stop.abort()
    await holding
    if (calls > 0) await hold()
    if (loaded.ok || loaded.failure) {
      await finishLoad(pool, instanceId, load.id, loaded.ok ? undefined : loaded.failure)
      metrics.ended(loaded.ok ? 'done' : (loaded.failure?.code ?? 'internal'))
    } else {
      await giveBackLoad(pool, instanceId, load.id)
      metrics.ended('given_back')
    }
    return loaded
  }

  function begin(load: Load, signal: AbortSignal) {
    const ended = serve(load, signal)
      // What was given back is for another; looked for again here when it is time, not at once.
      .then((loaded) => (loaded.ok || loaded.failure ? woken.abort() : undefined))
      .catch((error: unknown) =>
        log.warn({ error, load_id: load.id }, 'history load not finished; taken up again'),
      )
      .finally(() => {
        running.delete(load.id)
        metrics.running(running.size)
      })
    running.set(load.id, { owner: load.owner, ended })
    metrics.running(running.size)
  }

  return {
    wake: () => woken.abort(),
    async run(signal, isWell) {
      while (!signal.aborted) {
        // Before it looks: who asks while it looks must not be overheard.
        woken = new AbortController()
        metrics.waiting(await endUnservable(pool))
        while (running.size < RUNNING_MAX && !signal.aborted) {
          const owners = ownersToServe()
          const load =
            owners.length > 0 ? await takeLoad(pool, instanceId, owners, [...running.keys()]) : undefined
          if (!load) break
          begin(load, signal)
        }
        isWell()
        await clock.sleep(LOOK_INTERVAL_MS, AbortSignal.any([signal, woken.signal]))
      }
      await Promise.all([...running.values()].map(({ ended }) => ended))
    },
  }
}
