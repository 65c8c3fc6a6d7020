// One order path per owned account, started and stopped as ownership moves.
import type { SupervisedTask, Supervisor } from '../operations/supervisor.ts'
import { type AccountOrders, createAccountOrders } from './account-orders.ts'
import type { AccountOrdersDeps, OrderAccount } from './deps.ts'

export interface OrderDesk {
  /** The accounts now owned; those with something due are woken. */
  setAccounts(accounts: readonly OrderAccount[]): void
  orderUpdate(accountId: string, raw: unknown): void
  updatesLost(accountId: string): void
  /** Waits until every order in flight has its verdict stored, at most deadlineMs. */
  drained(deadlineMs: number): Promise<void>
}

type DeskDeps = Omit<AccountOrdersDeps, 'accountId' | 'account'> & { supervisor: Supervisor }

export function createOrderDesk(deps: DeskDeps): OrderDesk {
  const paths = new Map<string, { path: AccountOrders; task: SupervisedTask }>()
  /** Paths of accounts that left; their orders in flight still get their verdicts. */
  const leaving = new Set<AccountOrders>()
  let owned = new Map<string, OrderAccount>()

  function open(accountId: string) {
    const log = deps.log.child({ account_id: accountId })
    const path = createAccountOrders({ ...deps, log, accountId, account: () => owned.get(accountId) })
    paths.set(accountId, { path, task: deps.supervisor.run(`orders of ${accountId}`, path.run) })
  }

  function close(accountId: string, { path, task }: { path: AccountOrders; task: SupervisedTask }) {
    paths.delete(accountId)
    leaving.add(path)
    void task
      .stop()
      .then(() => path.drained(60_000))
      .finally(() => leaving.delete(path))
  }

  return {
    setAccounts(accounts) {
      owned = new Map(accounts.map((account) => [account.accountId, account]))
      for (const [accountId, entry] of paths) if (!owned.has(accountId)) close(accountId, entry)
      for (const [accountId, account] of owned) {
        const entry = paths.get(accountId)
        if (!entry) open(accountId)
        else if (account.observed.due_orders || account.observed.postback_hints) entry.path.wake()
      }
    },
    orderUpdate: (accountId, raw) => paths.get(accountId)?.path.orderUpdate(raw),
    updatesLost: (accountId) => paths.get(accountId)?.path.updatesLost(),
    async drained(deadlineMs) {
      const all = [...[...paths.values()].map((entry) => entry.path), ...leaving]
      await Promise.all(all.map((path) => path.drained(deadlineMs)))
    },
  }
}
