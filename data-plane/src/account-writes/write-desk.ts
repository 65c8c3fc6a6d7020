// The writes without a tag of every owned account, started and stopped as ownership moves, as orders/order-desk.ts.
import type { SupervisedTask, Supervisor } from '../operations/supervisor.ts'
import type { OrderAccount } from '../orders/deps.ts'
import { type AccountWrites, createAccountWrites } from './account-writes.ts'
import type { AccountWritesDeps } from './deps.ts'

export interface WriteDesk {
  setAccounts(accounts: readonly OrderAccount[]): void
  /** Something may have become of a GTT of the account. */
  want(accountId: string): void
  databaseLost(): void
  /** Nothing is claimed any more; what is in flight still gets its verdict (drained). */
  close(): void
  drained(deadlineMs: number): Promise<void>
}

type DeskDeps = Omit<AccountWritesDeps, 'accountId' | 'account' | 'isHalted' | 'turn' | 'onTriggered'> & {
  supervisor: Supervisor
  isHalted(accountId: string): boolean
  turn(accountId: string): Promise<boolean>
  onTriggered(accountId: string): void
}

interface Entry {
  /** Kept when the account leaves: it knows what it has written. */
  path: AccountWrites
  task: SupervisedTask | undefined
  stopped: Promise<void>
}

export function createWriteDesk(deps: DeskDeps): WriteDesk {
  const entries = new Map<string, Entry>()
  let owned = new Map<string, OrderAccount>()
  let closed = false

  function entryOf(accountId: string): Entry {
    const known = entries.get(accountId)
    if (known) return known
    const path = createAccountWrites({
      ...{ ...deps, accountId, log: deps.log.child({ account_id: accountId }) },
      account: () => owned.get(accountId),
      isHalted: () => deps.isHalted(accountId),
      turn: () => deps.turn(accountId),
      onTriggered: () => deps.onTriggered(accountId),
    })
    const entry: Entry = { path, task: undefined, stopped: Promise.resolve() }
    entries.set(accountId, entry)
    return entry
  }

  function open(accountId: string, entry: Entry) {
    void entry.stopped.then(() => {
      if (entry.task || !owned.has(accountId)) return
      entry.task = deps.supervisor.run(`GTTs of ${accountId}`, entry.path.run)
    })
  }

  function close(entry: Entry) {
    if (!entry.task) return
    entry.stopped = entry.task.stop()
    entry.task = undefined
  }

  return {
    setAccounts(accounts) {
      if (closed) return
      // What is never traded has no GTTs to follow.
      const traded = accounts.filter(({ observed }) => observed.trading || observed.due_writes)
      owned = new Map(traded.map((account) => [account.accountId, account]))
      for (const [accountId, entry] of entries) if (!owned.has(accountId)) close(entry)
      for (const [accountId, { observed }] of owned) {
        const entry = entryOf(accountId)
        if (!entry.task) open(accountId, entry)
        else if (observed.due_writes) entry.path.wake()
      }
    },
    want: (accountId) => entries.get(accountId)?.path.want(),
    databaseLost() {
      for (const { path } of entries.values()) path.databaseLost()
    },
    close() {
      closed = true
      owned = new Map()
      for (const entry of entries.values()) close(entry)
    },
    async drained(deadlineMs) {
      await Promise.all([...entries.values()].map(({ path }) => path.drained(deadlineMs)))
    },
  }
}
