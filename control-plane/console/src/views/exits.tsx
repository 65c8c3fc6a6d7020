// Closing positions: what runs, what rests, and the buttons to begin and stop it.
import { type FormEvent, useCallback } from 'react'
import type { Api } from '../api/client.ts'
import type { Exit, Page } from '../api/types.ts'
import { Choice } from '../components/choice.tsx'
import { timeOf } from '../components/format.ts'
import { ProblemNote } from '../components/problem-note.tsx'
import { useAccounts } from '../components/use-accounts.ts'
import { useAction } from '../components/use-action.ts'
import { usePoll } from '../components/use-poll.ts'

const POLL_MS = 2_000
const isLive = ({ state }: Exit) => state === 'RUNNING' || state === 'STOPPING'

export function Exits({ api }: { api: Api }) {
  const exits = usePoll(
    useCallback(() => api.get<Page<Exit>>('/v1/exits?limit=20'), [api]),
    POLL_MS,
  )
  const accounts = useAccounts(api, 30_000)
  const { act, problem } = useAction(exits.reload)
  const resting = exits.value?.items.filter((exit) => isLive(exit) && exit.alarm_at !== null) ?? []

  function begin(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const account_id = String(form.get('account_id'))
    const [exchange, tradingsymbol] = String(form.get('instrument')).trim().split(':')
    const quantity = Number(form.get('quantity')) || undefined
    const one = tradingsymbol
      ? [{ exchange, tradingsymbol, product: String(form.get('product')), quantity }]
      : undefined
    const what = one ? `${exchange}:${tradingsymbol}` : 'EVERY open position'
    if (!window.confirm(`Close ${what} of ${account_id}?`)) return
    const body = { account_id, positions: one }
    void act(() => api.send('POST', '/v1/exits', body, { 'Idempotency-Key': crypto.randomUUID() }))
  }

  return (
    <>
      <h2>Exits</h2>
      {resting.length > 0 && (
        <p className="problem">
          Not closed in time: {resting.map(({ id, account_id }) => `${account_id} (${id})`).join(', ')}
        </p>
      )}
      <form className="row" onSubmit={begin}>
        <Choice name="account_id" title="Account" values={accounts.value?.items.map(({ id }) => id) ?? []} />
        <label>
          Position
          <input name="instrument" placeholder="NFO:… (empty: all)" />
        </label>
        <Choice name="product" title="Product" values={['NRML', 'MIS', 'CNC', 'MTF']} />
        <label>
          Quantity
          <input name="quantity" type="number" min={1} placeholder="all" />
        </label>
        <button type="submit" className="bad">
          Close
        </button>
      </form>
      <ProblemNote problem={problem ?? exits.problem} />
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>Account</th>
              <th>State</th>
              <th>Positions</th>
              <th>Why, or what it waits for</th>
              <th>Since</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {exits.value?.items.map((exit) => (
              <tr key={exit.id}>
                <th scope="row">{exit.account_id}</th>
                <td className={exit.state === 'STOPPED' || exit.alarm_at ? 'bad' : 'good'}>{exit.state}</td>
                <td>
                  {exit.legs
                    ?.map((leg) => `${leg.tradingsymbol} ${leg.filled_quantity}/${leg.quantity}`)
                    .join(', ') ?? '…'}
                </td>
                <td>{exit.reason ?? exit.waiting}</td>
                <td>{timeOf(exit.created_at)}</td>
                <td>
                  {isLive(exit) && (
                    <button
                      type="button"
                      onClick={() => act(() => api.send('DELETE', `/v1/exits/${exit.id}`))}
                    >
                      Stop
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}
