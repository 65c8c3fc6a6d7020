// One path per owned account, run under the supervisor, started and stopped as ownership moves.
import type { SupervisedTask, Supervisor } from '../operations/supervisor.ts'
import type { OrderAccount } from './deps.ts'

interface Path {
  run(signal: AbortSignal, isWell?: () => void): Promise<void>
  wake(): void
}

interface Entry<Of extends Path> {
  /** Kept when the account leaves: what is in flight still gets its verdict, and must be known if the account returns. */
  path: Of
  task: SupervisedTask | undefined
  stopped: Promise<void>
}

export interface AccountPaths<Of extends Path> {
  /** The accounts now owned; those with something due are woken. */
  set(accounts: readonly OrderAccount[]): void
  owned(): ReadonlyMap<string, OrderAccount>
  /** Made when it is not there yet. */
  of(accountId: string): Of
  /** undefined: the account was never owned here. */
  known(accountId: string): Of | undefined
  /** Of every account that was ever owned here. */
  all(): (readonly [accountId: string, path: Of])[]
  /** Ends every path for good. */
  close(): void
}

export function createAccountPaths<Of extends Path>(deps: {
  supervisor: Pick<Supervisor, 'run'>
  taskOf(accountId: string): string
  /** `account`: as last seen; undefined when it is no longer ours. */
  create(accountId: string, account: () => OrderAccount | undefined): Of
  hasWork(account: OrderAccount): boolean
}): AccountPaths<Of> {
  const entries = new Map<string, Entry<Of>>()
  let owned: ReadonlyMap<string, OrderAccount> = new Map()
  let closed = false

  function entryOf(accountId: string): Entry<Of> {
    const known = entries.get(accountId)
    if (known) return known
    const path = deps.create(accountId, () => owned.get(accountId))
    const entry: Entry<Of> = { path, task: undefined, stopped: Promise.resolve() }
    entries.set(accountId, entry)
    return entry
  }

  function open(accountId: string, entry: Entry<Of>) {
    void entry.stopped.then(() => {
      if (entry.task || !owned.has(accountId)) return
      entry.task = deps.supervisor.run(deps.taskOf(accountId), entry.path.run)
    })
  }

  function end(entry: Entry<Of>) {
    if (!entry.task) return
    entry.stopped = entry.task.stop()
    entry.task = undefined
  }

  return {
    set(accounts) {
      if (closed) return
      owned = new Map(accounts.map((account) => [account.accountId, account]))
      for (const [accountId, entry] of entries) if (!owned.has(accountId)) end(entry)
      for (const [accountId, account] of owned) {
        const entry = entryOf(accountId)
        if (!entry.task) open(accountId, entry)
        else if (deps.hasWork(account)) entry.path.wake()
      }
    },
    owned: () => owned,
    of: (accountId) => entryOf(accountId).path,
    known: (accountId) => entries.get(accountId)?.path,
    all: () => [...entries].map(([accountId, { path }]) => [accountId, path]),
    close() {
      closed = true
      owned = new Map()
      for (const entry of entries.values()) end(entry)
    },
  }
}
