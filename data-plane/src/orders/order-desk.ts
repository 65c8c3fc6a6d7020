// One order path per owned account, started and stopped as ownership moves.
import type { OrderBook } from '@ticker/shared/kite-http'
import type { SupervisedTask, Supervisor } from '../operations/supervisor.ts'
import { type AccountOrders, createAccountOrders } from './account-orders.ts'
import type { OrderBudget } from './budget.ts'
import type { AccountOrdersDeps, OrderAccount } from './deps.ts'
import type { SweepProgress } from './sweep.ts'

export interface OrderDesk {
  /** The accounts now owned; those with something due are woken. */
  setAccounts(accounts: readonly OrderAccount[]): void
  orderUpdate(accountId: string, raw: unknown): void
  updatesLost(accountId: string): void
  /** The database was away: every path reads the book before it sends again. */
  databaseLost(): void
  /** Of an account that is owned now. */
  mergeBook(accountId: string, book: OrderBook): Promise<void>
  /** Ends every path for good: nothing is claimed any more. Orders in flight still get their verdict (drained). */
  close(): void
  /** Waits until every order in flight has its verdict stored, at most deadlineMs. */
  drained(deadlineMs: number): Promise<void>
  /** The kill switch of the accounts that are owned now. */
  sweep(): void
  sweeps(): SweepProgress[]
  /** Of the accounts that are owned now. */
  budgets(): OrderBudget[]
  /** Accounts whose orders cannot be sent or followed, with the reason. */
  unfit(): string | undefined
}

type DeskDeps = Omit<AccountOrdersDeps, 'accountId' | 'account' | 'isHalted'> & {
  supervisor: Supervisor
  isHalted(accountId: string): boolean
}

interface Entry {
  /** Kept when the account leaves: an order in flight still gets its verdict, and must be known if it returns. */
  path: AccountOrders
  task: SupervisedTask | undefined
  stopped: Promise<void>
}

export function createOrderDesk(deps: DeskDeps): OrderDesk {
  const entries = new Map<string, Entry>()
  let owned = new Map<string, OrderAccount>()
  let closed = false

  function entryOf(accountId: string): Entry {
    const known = entries.get(accountId)
    if (known) return known
    const log = deps.log.child({ account_id: accountId })
    const path = createAccountOrders({
      ...{ ...deps, log, accountId },
      account: () => owned.get(accountId),
      isHalted: () => deps.isHalted(accountId),
    })
    const entry: Entry = { path, task: undefined, stopped: Promise.resolve() }
    entries.set(accountId, entry)
    return entry
  }

  function open(accountId: string, entry: Entry) {
    void entry.stopped.then(() => {
      if (entry.task || !owned.has(accountId)) return
      entry.task = deps.supervisor.run(`orders of ${accountId}`, entry.path.run)
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
      owned = new Map(accounts.map((account) => [account.accountId, account]))
      for (const [accountId, entry] of entries) if (!owned.has(accountId)) close(entry)
      for (const [accountId, account] of owned) {
        const entry = entryOf(accountId)
        if (!entry.task) open(accountId, entry)
        else if (hasWork(account)) entry.path.wake()
      }
    },
    orderUpdate: (accountId, raw) => entries.get(accountId)?.path.orderUpdate(raw),
    databaseLost() {
      for (const entry of entries.values()) entry.path.databaseLost()
    },
    async mergeBook(accountId, book) {
      if (owned.has(accountId)) await entryOf(accountId).path.mergeBook(book)
    },
    close() {
      closed = true
      owned = new Map()
      for (const entry of entries.values()) {
        close(entry)
        entry.path.stopSweep()
      }
    },
    sweep() {
      for (const [accountId, account] of owned) entryOf(accountId).path.sweep(account)
    },
    budgets: () => [...owned.keys()].map((accountId) => entryOf(accountId).path.budget()),
    sweeps: () => [...entries.values()].flatMap(({ path }) => path.sweepProgress() ?? []),
    updatesLost: (accountId) => entries.get(accountId)?.path.updatesLost(),
    unfit() {
      const reasons = [...entries].flatMap(([accountId, { path }]) => {
        const reason = path.unfit()
        return reason === undefined ? [] : [`${accountId}: ${reason}`]
      })
      return reasons.join('; ') || undefined
    },
    async drained(deadlineMs) {
      await Promise.all([...entries.values()].map((entry) => entry.path.drained(deadlineMs)))
    },
  }
}

function hasWork({ observed }: OrderAccount): boolean {
  const { due_orders, due_changes, live_batches, live_exits, postback_hints } = observed
  return due_orders || due_changes || live_batches || live_exits || postback_hints
}
