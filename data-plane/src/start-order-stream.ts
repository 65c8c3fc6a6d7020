// Part of the composition root: the order stream, and the stores of the order desk so that they wake it by what they write.
import type pg from 'pg'
import type { Registry } from 'prom-client'
import type { BatchStore } from './batches/batch-store.ts'
import type { Clock } from './clock.ts'
import type { Supervisor } from './operations/supervisor.ts'
import { createEventReads } from './order-stream/event-reads.ts'
import { createOrderStreamMetrics } from './order-stream/metrics.ts'
import { createOrderStream, type OrderStream } from './order-stream/order-stream.ts'
import type { ChangeStore } from './orders/change-store.ts'
import type { IntentStore } from './orders/intent-store.ts'
import type { OrderStore } from './orders/order-store.ts'

export function startOrderStream(deps: {
  clock: Clock
  registry: Registry
  supervisor: Pick<Supervisor, 'run'>
  pool: pg.Pool
}): OrderStream {
  const orders = createOrderStream({
    clock: deps.clock,
    reads: createEventReads(deps.pool),
    metrics: createOrderStreamMetrics(deps.registry),
  })
  deps.supervisor.run('order stream', orders.run)
  return orders
}

interface Stores {
  intents: IntentStore
  changes: ChangeStore
  orders: OrderStore
  batches: BatchStore
}

/** The same stores; `onWritten` after each write that may have appended to the log of orders. */
export function tellingStores({ intents, changes, orders, batches }: Stores, onWritten: () => void): Stores {
  const telling =
    <Asked extends unknown[], Answer>(write: (...asked: Asked) => Promise<Answer>) =>
    async (...asked: Asked): Promise<Answer> => {
      const answer = await write(...asked)
      if (answer && !(Array.isArray(answer) && answer.length === 0)) onWritten()
      return answer
    }
  return {
    intents: {
      ...intents,
      expireOverdue: telling(intents.expireOverdue),
      refuse: telling(intents.refuse),
      cancelUnsent: telling(intents.cancelUnsent),
      refuseIfGated: telling(intents.refuseIfGated),
      claim: telling(intents.claim),
      unclaim: telling(intents.unclaim),
      settle: telling(intents.settle),
      orphansToUnknown: telling(intents.orphansToUnknown),
    },
    changes: {
      ...changes,
      expireOverdue: telling(changes.expireOverdue),
      claim: telling(changes.claim),
      unclaim: telling(changes.unclaim),
      settle: telling(changes.settle),
      end: telling(changes.end),
      refuseIfGated: telling(changes.refuseIfGated),
      orphansToUnknown: telling(changes.orphansToUnknown),
    },
    orders: { ...orders, merge: telling(orders.merge) },
    batches: {
      ...batches,
      place: telling(batches.place),
      squareOff: telling(batches.squareOff),
      dropUnsent: telling(batches.dropUnsent),
      cancel: telling(batches.cancel),
      move: telling(batches.move),
    },
  }
}
