// GTTs at the broker, whoever placed them, and what became of each; place one with one leg or two, delete one.
import { type FormEvent, useCallback, useState } from 'react'
import type { Api } from '../api/client.ts'
import type { Gtt, GttWrite, Page } from '../api/types.ts'
import { Choice } from '../components/choice.tsx'
import { number, stateWords, timeOf } from '../components/format.ts'
import { ProblemNote } from '../components/problem-note.tsx'
import { useAccounts } from '../components/use-accounts.ts'
import { useAction } from '../components/use-action.ts'
import { usePoll } from '../components/use-poll.ts'

const headers = () => ({ 'Idempotency-Key': crypto.randomUUID(), Prefer: 'wait=5' })

export function Gtts({ api }: { api: Api }) {
  const gtts = usePoll(
    useCallback(() => api.get<Page<Gtt>>('/v1/gtts?limit=200'), [api]),
    3_000,
  )
  const writes = usePoll(
    useCallback(() => api.get<Page<GttWrite>>('/v1/gtt-writes?limit=20'), [api]),
    3_000,
  )
  const { act, problem } = useAction(() => {
    gtts.reload()
    writes.reload()
  })
  const remove = ({ id, account_id }: Gtt) =>
    act(() => api.send('DELETE', `/v1/gtts/${id}?account_id=${account_id}`, undefined, headers()))

  return (
    <>
      <ProblemNote problem={problem ?? gtts.problem ?? writes.problem} />
      <h2>GTTs</h2>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>GTT</th>
              <th>Account</th>
              <th>Instrument</th>
              <th>When the price is</th>
              <th>Orders</th>
              <th>State</th>
              <th>Expires</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {gtts.value?.items.map((gtt) => (
              <tr key={`${gtt.account_id}:${gtt.id}`}>
                <th scope="row">{gtt.id}</th>
                <td>{gtt.account_id}</td>
                <td>
                  {gtt.exchange}:{gtt.tradingsymbol}
                </td>
                <td>{gtt.trigger_values.map(number).join(' or ')}</td>
                <td>
                  {gtt.orders
                    .map(
                      (leg) =>
                        `${leg.transaction_type} ${leg.quantity} ${leg.product} at ${number(leg.price)}`,
                    )
                    .join(' or ')}
                </td>
                <td>{becameWords(gtt)}</td>
                <td>{timeOf(gtt.expires_at)}</td>
                <td>
                  {gtt.status === 'active' && (
                    <button type="button" onClick={() => remove(gtt)}>
                      Delete
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Place api={api} act={act} />
      <h2>Asked for here</h2>
      <ul>
        {writes.value?.items.map((write) => (
          <li key={write.id}>
            {timeOf(write.created_at)} {write.kind.replace('gtt_', '')} {write.trigger_id ?? ''}:{' '}
            {stateWords(write.state)}
            {write.reason && ` (${write.reason})`}
          </li>
        ))}
      </ul>
    </>
  )
}

/** Triggered is not executed: what its order came to is said with it. */
function becameWords({ status, orders, broker_orders }: Gtt): string {
  const refused = orders.flatMap(({ result }) => result?.rejection_reason ?? [])
  const said = [...broker_orders.map((order) => `${order.order_id} ${order.status}`), ...refused]
  return [status, ...said].join(': ')
}

function Place({ api, act }: { api: Api; act(action: () => Promise<unknown>): Promise<void> }) {
  const accounts = useAccounts(api, 30_000)
  const [legs, setLegs] = useState(1)

  function place(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const said = (name: string) => String(form.get(name))
    const each = Array.from({ length: legs }, (_, leg) => leg)
    const body = {
      ...{ account_id: said('account_id'), type: legs === 1 ? 'single' : 'two-leg' },
      ...{
        exchange: said('exchange'),
        tradingsymbol: said('tradingsymbol'),
        last_price: Number(said('last_price')),
      },
      trigger_values: each.map((leg) => Number(said(`trigger_${leg}`))),
      orders: each.map((leg) => ({
        ...{ transaction_type: said('transaction_type'), quantity: Number(said('quantity')) },
        ...{ product: said('product'), price: Number(said(`price_${leg}`)) },
      })),
    }
    return act(() => api.send('POST', '/v1/gtts', body, headers()))
  }

  return (
    <form onSubmit={place}>
      <h2>Place a GTT</h2>
      <label>
        Kind{' '}
        <select value={legs} onChange={(event) => setLegs(Number(event.target.value))}>
          <option value={1}>single</option>
          <option value={2}>one cancels the other</option>
        </select>
      </label>
      <Choice name="account_id" title="Account" values={accounts.value?.items.map(({ id }) => id) ?? []} />
      <Choice name="exchange" title="Exchange" values={['NSE', 'BSE', 'NFO', 'BFO', 'CDS', 'BCD', 'MCX']} />
      <Field name="tradingsymbol" title="Symbol" />
      <Choice name="transaction_type" title="Side" values={['SELL', 'BUY']} />
      <Field name="quantity" title="Quantity" />
      <Choice name="product" title="Product" values={['CNC', 'NRML', 'MIS', 'MTF']} />
      <Field name="last_price" title="Last price" />
      <Field name="trigger_0" title={legs === 1 ? 'Trigger' : 'Lower trigger'} />
      <Field name="price_0" title="Its limit" />
      {legs === 2 && (
        <>
          <Field name="trigger_1" title="Upper trigger" />
          <Field name="price_1" title="Its limit" />
        </>
      )}
      <button type="submit">Place GTT</button>
    </form>
  )
}

const Field = ({ name, title }: { name: string; title: string }) => (
  <label>
    {title} <input name={name} required />
  </label>
)
