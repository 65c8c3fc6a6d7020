// Place an order and see what became of it, in words that promise nothing.
import { type FormEvent, useCallback, useEffect, useState } from 'react'
import type { Api } from '../api/client.ts'
import type { AccountOrder, Order, OrderChange, OrderEvent, Page, Problem } from '../api/types.ts'
import { AuthoriseHoldings } from '../components/authorise-holdings.tsx'
import { Choice } from '../components/choice.tsx'
import { cancelWords, number, stateWords, timeOf } from '../components/format.ts'
import { isOpen } from '../components/is-open.ts'
import { ProblemNote } from '../components/problem-note.tsx'
import { useAccounts } from '../components/use-accounts.ts'
import { useOrderEvents } from '../components/use-order-events.ts'
import { asProblem, usePoll } from '../components/use-poll.ts'

const CAME_TO_NOTHING: readonly string[] = [
  'RELEASED',
  'REJECTED',
  'EXPIRED',
  'REFUSED',
  'NEEDS_AUTHORISATION',
]

/** What happens is told; only what time does to an order is not. */
const STREAMED_POLL_MS = 15_000

export function Orders({ api }: { api: Api }) {
  const accounts = useAccounts(api, 30_000)
  const { isLive, happened } = useOrderEvents(api)
  const orders = usePoll(
    useCallback(() => api.get<Page<Order>>('/v1/orders?limit=50'), [api]),
    isLive ? STREAMED_POLL_MS : 2_000,
  )
  const elsewhere = usePoll(
    useCallback(
      () => api.get<Page<AccountOrder>>('/v1/broker-orders?open=true&placed_elsewhere=true&limit=50'),
      [api],
    ),
    isLive ? STREAMED_POLL_MS : 5_000,
  )
  const [readOrders, readElsewhere] = [orders.reload, elsewhere.reload]
  useEffect(() => {
    if (happened === 0) return
    readOrders()
    readElsewhere()
  }, [happened, readOrders, readElsewhere])
  const [problem, setProblem] = useState<Problem>()
  const [answer, setAnswer] = useState<{ id: string; change: OrderChange }>()
  const [events, setEvents] = useState<{ id: string; items: OrderEvent[] }>()

  async function place(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const fields = Object.fromEntries(
      [...new FormData(event.currentTarget)].filter(([, value]) => value !== ''),
    )
    const body = { ...fields, ...numbers(fields, ['quantity', 'price', 'trigger_price']) }
    try {
      await api.send('POST', '/v1/orders', body, { 'Idempotency-Key': crypto.randomUUID(), Prefer: 'wait=5' })
      setProblem(undefined)
      orders.reload()
    } catch (error) {
      setProblem(asProblem(error))
    }
  }

  async function cancel(id: string) {
    try {
      const change = await api.send<OrderChange>('DELETE', `/v1/orders/${id}`, undefined, {
        'Idempotency-Key': crypto.randomUUID(),
        Prefer: 'wait=5',
      })
      setAnswer({ id, change })
      setProblem(undefined)
      orders.reload()
      elsewhere.reload()
    } catch (error) {
      setProblem(asProblem(error))
    }
  }

  async function settle(id: string, what: 'release' | 'requeue', question: string) {
    if (!window.confirm(question)) return
    try {
      await api.send('POST', `/v1/orders/${id}/${what}`, undefined, {
        'Idempotency-Key': crypto.randomUUID(),
      })
      setProblem(undefined)
      orders.reload()
    } catch (error) {
      setProblem(asProblem(error))
    }
  }
  const release = (id: string) =>
    settle(id, 'release', 'Give it up? It is not sent again; if it turns up at the broker, it is adopted.')
  const requeue = (id: string) => settle(id, 'requeue', 'Place the same order again, as a new one?')

  async function show(id: string) {
    try {
      setEvents({ id, items: (await api.get<Page<OrderEvent>>(`/v1/orders/${id}/events`)).items })
    } catch (error) {
      setProblem(asProblem(error))
    }
  }

  return (
    <>
      <form className="row" onSubmit={place} aria-label="Place an order">
        <Choice
          name="account_id"
          title="Account"
          values={accounts.value?.items.map((account) => account.id) ?? []}
        />
        <label>
          Exchange <input name="exchange" defaultValue="NSE" required size={4} />
        </label>
        <label>
          Symbol <input name="tradingsymbol" required size={18} />
        </label>
        <Choice name="transaction_type" title="Side" values={['BUY', 'SELL']} />
        <label>
          Quantity <input name="quantity" type="number" min={1} required />
        </label>
        <Choice name="product" title="Product" values={['CNC', 'NRML', 'MIS', 'MTF']} />
        <Choice name="order_type" title="Type" values={['LIMIT', 'MARKET', 'SL', 'SL-M']} />
        <label>
          Price <input name="price" type="number" step="any" />
        </label>
        <label>
          Trigger <input name="trigger_price" type="number" step="any" />
        </label>
        <label>
          Tag <input name="tag" maxLength={20} size={10} />
        </label>
        <button type="submit">Place</button>
      </form>
      <ProblemNote problem={problem ?? orders.problem} />
      {answer && (
        <p role="status">
          Cancel of <code>{answer.id}</code>: {cancelWords(answer.change)}
        </p>
      )}
      {orders.value?.items.length === 0 && <p>No orders yet.</p>}
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>Placed</th>
              <th>Account</th>
              <th>Order</th>
              <th>State</th>
              <th>At the broker</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {orders.value?.items.map((order) => (
              <tr key={order.id}>
                <td>{timeOf(order.created_at)}</td>
                <td>
                  {order.account_id} {order.paper && <small>paper</small>}
                </td>
                <td>
                  {order.request.transaction_type} {order.request.quantity} {order.request.exchange}:
                  {order.request.tradingsymbol} {order.request.order_type} {order.request.price ?? ''}{' '}
                  {order.tag && <code>{order.tag}</code>}
                </td>
                <td>
                  <b>{order.state}</b> <small>{stateWords(order.state)}</small> {order.reason}
                  {order.slices && order.state === 'ACCEPTED' && (
                    <small>
                      {' '}
                      {order.slices.refused.length} slices refused, {order.slices.in_doubt.length} in doubt:{' '}
                      {[...order.slices.refused, ...order.slices.in_doubt].join('; ')}
                    </small>
                  )}
                </td>
                <td>
                  {order.broker_orders.map((each) => (
                    <div key={each.order_id}>
                      <b>{each.status}</b> {number(each.filled_quantity)} at {number(each.average_price)}{' '}
                      {each.status_message}
                    </div>
                  ))}
                </td>
                <td>
                  {isOpen(order) && (
                    <button type="button" onClick={() => cancel(order.id)}>
                      Cancel
                    </button>
                  )}{' '}
                  {order.state === 'UNKNOWN' && (
                    <button type="button" onClick={() => release(order.id)}>
                      Release
                    </button>
                  )}{' '}
                  {order.state === 'NEEDS_AUTHORISATION' && (
                    <AuthoriseHoldings api={api} accountId={order.account_id} failed={setProblem} />
                  )}{' '}
                  {CAME_TO_NOTHING.includes(order.state) && (
                    <button type="button" onClick={() => requeue(order.id)}>
                      Place anew
                    </button>
                  )}{' '}
                  <button type="button" onClick={() => show(order.id)}>
                    Events
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {elsewhere.value && elsewhere.value.items.length > 0 && (
        <section aria-label="Placed elsewhere">
          <h3>Open at the broker, placed elsewhere</h3>
          <ul>
            {elsewhere.value.items.map((order) => (
              <li key={order.order_id}>
                {order.account_id}: {order.transaction_type} {order.quantity} {order.exchange}:
                {order.tradingsymbol} {order.order_type} {order.price ?? ''} <b>{order.status}</b>{' '}
                <button type="button" onClick={() => cancel(order.order_id)}>
                  Cancel
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
      {events && (
        <section aria-label="Events">
          <h3>
            Events of <code>{events.id}</code>
          </h3>
          <ol>
            {events.items.map((event) => (
              <li key={event.seq}>
                {timeOf(event.at)} <b>{event.kind}</b> <code>{JSON.stringify(event.detail)}</code>
              </li>
            ))}
          </ol>
        </section>
      )}
    </>
  )
}

function numbers(fields: Record<string, FormDataEntryValue>, names: string[]): Record<string, number> {
  return Object.fromEntries(
    names.filter((name) => fields[name] !== undefined).map((name) => [name, Number(fields[name])]),
  )
}
