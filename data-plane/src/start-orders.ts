// Part of the composition root: the order desk with its stores, its line to the broker and its reads of the book.
import { getOrderHistory, getOrders, type KiteHttp } from '@ticker/shared/kite-http'
import type pg from 'pg'
import type { Registry } from 'prom-client'
import { createBatchStore } from './batches/batch-store.ts'
import { createBatchMetrics } from './batches/metrics.ts'
import type { ReadGovernor } from './broker-reads/governor.ts'
import { createExitStore } from './exits/exit-store.ts'
import { createExitMetrics } from './exits/metrics.ts'
import { createChangeStore } from './orders/change-store.ts'
import { createIntentStore } from './orders/intent-store.ts'
import { createOrderDesk, type OrderDesk } from './orders/order-desk.ts'
import { orderLineFactory } from './orders/order-line.ts'
import { createOrderStore } from './orders/order-store.ts'
import { credentialsOf } from './ownership/owned-account.ts'
import { tellingStores } from './start-order-stream.ts'

type Given = Omit<
  Parameters<typeof createOrderDesk>[0],
  | 'intents'
  | 'changes'
  | 'orders'
  | 'batches'
  | 'batchMetrics'
  | 'exits'
  | 'exitMetrics'
  | 'reads'
  | 'connect'
>

/** `onLogged`: something may have been appended to the log of orders. */
export function createOrders(
  deps: Given & {
    pool: pg.Pool
    registry: Registry
    kite: KiteHttp
    governor: ReadGovernor
    onLogged: () => void
  },
): OrderDesk {
  const { pool, kite, governor, clock } = deps
  const stores = {
    intents: createIntentStore(pool),
    changes: createChangeStore(pool),
    orders: createOrderStore(pool),
    batches: createBatchStore(pool),
  }
  return createOrderDesk({
    ...deps,
    ...tellingStores(stores, deps.onLogged),
    batchMetrics: createBatchMetrics(deps.registry),
    exits: createExitStore(pool, deps.onLogged),
    exitMetrics: createExitMetrics(deps.registry),
    // Not kept waiting by other reads of the account, but counted among them.
    reads: {
      book: (account, session) => {
        governor.spend(account.accountId)
        return getOrders(kite, credentialsOf(account, session))
      },
      history: (account, session, orderId) => {
        governor.spend(account.accountId)
        return getOrderHistory(kite, credentialsOf(account, session), orderId)
      },
    },
    connect: orderLineFactory(kite.root, clock),
  })
}
