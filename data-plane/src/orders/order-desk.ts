// The order paths of the owned accounts, as the rest of the process sees them.
import type { OrderBook } from '@ticker/shared/kite-http'
import type { Supervisor } from '../operations/supervisor.ts'
import { type AccountOrders, createAccountOrders } from './account-orders.ts'
import { createAccountPaths } from './account-paths.ts'
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

export function createOrderDesk(deps: DeskDeps): OrderDesk {
  const paths = createAccountPaths<AccountOrders>({
    ...{ supervisor: deps.supervisor, hasWork },
    taskOf: (accountId) => `orders of ${accountId}`,
    create: (accountId, account) =>
      createAccountOrders({
        ...{ ...deps, log: deps.log.child({ account_id: accountId }), accountId, account },
        isHalted: () => deps.isHalted(accountId),
      }),
  })

  return {
    setAccounts: paths.set,
    orderUpdate: (accountId, raw) => paths.known(accountId)?.orderUpdate(raw),
    databaseLost() {
      for (const [, path] of paths.all()) path.databaseLost()
    },
    async mergeBook(accountId, book) {
      if (paths.owned().has(accountId)) await paths.of(accountId).mergeBook(book)
    },
    close() {
      paths.close()
      for (const [, path] of paths.all()) path.stopSweep()
    },
    sweep() {
      for (const [accountId, account] of paths.owned()) paths.of(accountId).sweep(account)
    },
    budgets: () => [...paths.owned().keys()].map((accountId) => paths.of(accountId).budget()),
    sweeps: () => paths.all().flatMap(([, path]) => path.sweepProgress() ?? []),
    updatesLost: (accountId) => paths.known(accountId)?.updatesLost(),
    unfit() {
      const reasons = paths.all().flatMap(([accountId, path]) => {
        const reason = path.unfit()
        return reason === undefined ? [] : [`${accountId}: ${reason}`]
      })
      return reasons.join('; ') || undefined
    },
    async drained(deadlineMs) {
      await Promise.all(paths.all().map(([, path]) => path.drained(deadlineMs)))
    },
  }
}

function hasWork({ observed }: OrderAccount): boolean {
  const { due_orders, due_changes, live_batches, live_exits, postback_hints } = observed
  return due_orders || due_changes || live_batches || live_exits || postback_hints
}
