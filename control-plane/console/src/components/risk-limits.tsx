// What an account, and each of its strategies, may order at most. A PUT states all limits: the form has all of them.
import { type FormEvent, useCallback, useState } from 'react'
import type { Api } from '../api/client.ts'
import type { RiskLimits } from '../api/types.ts'
import { number } from './format.ts'
import { ProblemNote } from './problem-note.tsx'
import { useAction } from './use-action.ts'
import { usePoll } from './use-poll.ts'

const POLL_MS = 10_000
const AMOUNTS = {
  max_order_value: 'Order value, ₹',
  max_order_quantity: 'Order quantity',
  max_orders_a_day: 'Orders a day',
  max_daily_loss: 'Daily loss, ₹',
  max_price_deviation_percent: 'Price band, %',
} as const
type Amount = keyof typeof AMOUNTS
const amounts = Object.keys(AMOUNTS) as Amount[]

export function RiskLimitsTable({ api, accounts }: { api: Api; accounts: string[] }) {
  const limits = usePoll(
    useCallback(() => api.get<{ items: RiskLimits[] }>('/v1/risk-limits'), [api]),
    POLL_MS,
  )
  const { act, problem } = useAction(limits.reload)
  const [edited, setEdited] = useState<RiskLimits>()

  function put(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const fields = new FormData(event.currentTarget)
    const said = (name: string) => String(fields.get(name) ?? '').trim() || undefined
    const body = {
      ...{ account_id: said('account_id'), strategy: said('strategy') },
      ...Object.fromEntries(amounts.map((name) => [name, Number(said(name)) || null])),
      mis_entries_until: said('mis_entries_until') ?? null,
      no_entries_on_expiry_day: fields.has('no_entries_on_expiry_day'),
    }
    void act(async () => {
      await api.send('PUT', '/v1/risk-limits', body)
      setEdited(undefined)
    })
  }
  const remove = ({ account_id, strategy }: RiskLimits) => {
    const query = new URLSearchParams({ account_id, ...(strategy === null ? {} : { strategy }) })
    void act(() => api.send('DELETE', `/v1/risk-limits?${query}`))
  }

  return (
    <section aria-label="Limits">
      <h2>Limits</h2>
      <ProblemNote problem={problem ?? limits.problem} />
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>Account</th>
              <th>Strategy</th>
              {amounts.map((name) => (
                <th key={name} className="num">
                  {AMOUNTS[name]}
                </th>
              ))}
              <th>MIS until</th>
              <th>Expiry day</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {limits.value?.items.map((each) => (
              <tr key={`${each.account_id}/${each.strategy}`}>
                <th scope="row">{each.account_id}</th>
                <td>{each.strategy ?? 'all'}</td>
                {amounts.map((name) => (
                  <td key={name} className="num">
                    {number(each[name])}
                  </td>
                ))}
                <td>{each.mis_entries_until ?? '—'}</td>
                <td>{each.no_entries_on_expiry_day ? 'no new positions' : '—'}</td>
                <td className="chips">
                  <button type="button" onClick={() => setEdited(each)}>
                    Edit
                  </button>
                  <button type="button" onClick={() => remove(each)}>
                    Remove
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <form
        // Another row, another form: its fields begin with that row's limits.
        key={edited ? `${edited.account_id}/${edited.strategy}` : 'new'}
        className="row"
        aria-label="Limit an account"
        onSubmit={put}
      >
        <label>
          Account
          <select name="account_id" required defaultValue={edited?.account_id}>
            {accounts.map((id) => (
              <option key={id}>{id}</option>
            ))}
          </select>
        </label>
        <label>
          Strategy <input name="strategy" size={10} placeholder="all" defaultValue={edited?.strategy ?? ''} />
        </label>
        {amounts.map((name) => (
          <label key={name}>
            {AMOUNTS[name]}{' '}
            <input name={name} type="number" min={0} step="any" defaultValue={edited?.[name] ?? ''} />
          </label>
        ))}
        <label>
          MIS until (IST){' '}
          <input name="mis_entries_until" type="time" defaultValue={edited?.mis_entries_until ?? ''} />
        </label>
        <label className="check">
          <input
            name="no_entries_on_expiry_day"
            type="checkbox"
            defaultChecked={edited?.no_entries_on_expiry_day ?? false}
          />{' '}
          nothing new on expiry day
        </label>
        <button type="submit">Limit</button>
      </form>
    </section>
  )
}
