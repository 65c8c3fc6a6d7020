// What order-store.ts does, in memory, for orders that are one order each and only ever become open.
import { tagsOf } from '@ticker/shared/kite-http'
import type { OpenOrders, OrderStore } from '../../orders/order-store.ts'
import type { ModelState, RunStatement } from './model-state.ts'

export function modelOrders(run: RunStatement): OrderStore {
  return {
    merge: (_account, orders, _source, alsoSeen = []) =>
      run((state, nowMs) => {
        const seen = [
          ...orders.map((order) => ({ order_id: order.order_id, tags: tagsOf(order) })),
          ...alsoSeen,
        ]
        const adopted = seen.flatMap(({ order_id, tags }) => {
          const row = [...state.intents.values()].find(
            ({ id, tag }) => tags.includes(tag) || state.links.get(order_id) === id,
          )
          if (!row) return []
          if (!state.links.has(order_id)) state.links.set(order_id, row.id)
          if (row.state === 'ACCEPTED') return []
          const was = row.state
          row.state = 'ACCEPTED'
          row.brokerOrderId ??= order_id
          return [{ id: row.id, was }]
        })
        const changed = orders.filter(({ order_id, status }) => state.orders.get(order_id) !== status)
        for (const { order_id, status } of changed) state.orders.set(order_id, status)
        return {
          adopted,
          changed: changed.map((order) => ({
            orderId: order.order_id,
            intentId: state.links.get(order.order_id) ?? null,
            clientTag: null,
            order,
          })),
          open: openOf(state, nowMs),
        }
      }),
    open: () => run(openOf),
    takeHints: async () => [],
    dropHint: async () => {},
  }
}

function openOf({ intents, links, orders }: ModelState, nowMs: number): OpenOrders {
  const isUnseen = (id: string) => [...links].some(([orderId, of]) => of === id && !orders.has(orderId))
  const unseen = [...intents.values()].filter(({ id, state }) => state === 'ACCEPTED' && isUnseen(id))
  return {
    count: orders.size + unseen.length,
    unseen: unseen.length,
    unseenOldestMs: Math.max(0, ...unseen.map(({ sendingMs = nowMs }) => nowMs - sendingMs)),
  }
}
