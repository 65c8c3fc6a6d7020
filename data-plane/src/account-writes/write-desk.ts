// The writes without a tag of the owned accounts, as the rest of the process sees them.
import type { Supervisor } from '../operations/supervisor.ts'
import { createAccountPaths } from '../orders/account-paths.ts'
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

export function createWriteDesk(deps: DeskDeps): WriteDesk {
  const paths = createAccountPaths<AccountWrites>({
    supervisor: deps.supervisor,
    taskOf: (accountId) => `GTTs of ${accountId}`,
    hasWork: ({ observed }) => observed.due_writes,
    create: (accountId, account) =>
      createAccountWrites({
        ...{ ...deps, accountId, account, log: deps.log.child({ account_id: accountId }) },
        isHalted: () => deps.isHalted(accountId),
        turn: () => deps.turn(accountId),
        onTriggered: () => deps.onTriggered(accountId),
      }),
  })

  return {
    // What is never traded has no GTTs to follow.
    setAccounts: (accounts) =>
      paths.set(accounts.filter(({ observed }) => observed.trading || observed.due_writes)),
    want: (accountId) => paths.known(accountId)?.want(),
    databaseLost() {
      for (const [, path] of paths.all()) path.databaseLost()
    },
    close: paths.close,
    async drained(deadlineMs) {
      await Promise.all(paths.all().map(([, path]) => path.drained(deadlineMs)))
    },
  }
}
