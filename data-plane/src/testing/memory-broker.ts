// A broker in memory: `answer` decides what happens to a POST, `book` is what it would show.
import { brokerTime } from '@ticker/shared/domain'
import type { KiteOrder, KiteOutcome, OrderBook } from '@ticker/shared/kite-http'
import type { OrderRequest } from '../orders/order-line.ts'
import type { SeenOrder } from '../orders/order-store.ts'
import type { SendOutcome } from '../orders/verdict.ts'
import { answered, brokerRow, refusal } from './broker-answers.ts'

export type MemoryBroker = ReturnType<typeof memoryBroker>

export function memoryBroker(accountId: string) {
  const broker = {
    posts: [] as URLSearchParams[],
    /** Modifies and cancels, as `DELETE /orders/regular/1`. */
    changes: [] as string[],
    book: [] as KiteOrder[],
    history: new Map<string, KiteOrder[]>(),
    reachable: true,
    onConnect: () => {},
    misshapen: [] as SeenOrder[],
    unreadable: 0,
    historyAllowed: Promise.resolve(),
    unreadableHistory: '',
    deadFor: '',
    bookOutcome: undefined as KiteOutcome<OrderBook> | undefined,
    answer: (form: URLSearchParams): SendOutcome => broker.accept(form),
    accept(form: URLSearchParams): SendOutcome {
      broker.arrive(form)
      return answered(200, {
        status: 'success',
        data: { order_id: `id-${broker.posts.length}-${accountId}` },
      })
    },
    answerChange: (request: OrderRequest): SendOutcome | Promise<SendOutcome> => broker.change(request),
    /** Does what is asked, as the broker does it at once. */
    change({ method, path, form }: OrderRequest): SendOutcome {
      const orderId = path.replace(/\?.*/, '').split('/').at(-1) ?? ''
      const at = broker.book.findIndex((each) => each.order_id === orderId)
      const known = broker.book[at]
      if (!known) return refusal(400, 'InputException', 'Invalid `order_id`.')
      const later = brokerTime(Date.now())
      const stated = Object.fromEntries(form ?? [])
      const next = method === 'DELETE' ? { status: 'CANCELLED' } : stated
      broker.book[at] = brokerRow({ ...known, ...next, exchange_update_timestamp: later })
      return answered(200, { status: 'success', data: { order_id: orderId } })
    },
    arrive(form: URLSearchParams) {
      broker.book.push(
        brokerRow({
          order_id: `id-${broker.posts.length}-${accountId}`,
          tag: form.get('tag'),
          transaction_type: form.get('transaction_type'),
          quantity: Number(form.get('quantity')),
          product: form.get('product'),
        }),
      )
    },
  }
  return broker
}
