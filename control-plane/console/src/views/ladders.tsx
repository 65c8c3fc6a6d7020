// Strike ladders: the rules, where the money of each is now, and why one stands still.
import { type FormEvent, useCallback } from 'react'
import type { Api } from '../api/client.ts'
import type { Page, StrikeLadder } from '../api/types.ts'
import { number, stillWords, timeOf } from '../components/format.ts'
import { ProblemNote } from '../components/problem-note.tsx'
import { useAction } from '../components/use-action.ts'
import { usePoll } from '../components/use-poll.ts'

const POLL_MS = 2_000

export function Ladders({ api }: { api: Api }) {
  const ladders = usePoll(
    useCallback(() => api.get<Page<StrikeLadder>>('/v1/strike-ladders?limit=100'), [api]),
    POLL_MS,
  )
  const { act, problem } = useAction(ladders.reload)

  const path = (id: string) => `/v1/strike-ladders/${encodeURIComponent(id)}`

  function put(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const body = {
      strikes: Number(form.get('strikes')),
      expiries: Number(form.get('expiries')),
      mode: String(form.get('mode')),
    }
    return act(() => api.send('PUT', path(String(form.get('underlying')).trim().toUpperCase()), body))
  }

  return (
    <>
      <ProblemNote problem={problem ?? ladders.problem} />
      <h2>Strike ladders</h2>
      <p>Options around the money of an underlying's nearest expiries, kept subscribed as the spot moves.</p>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>Ladder</th>
              <th>Rule</th>
              <th>At the money</th>
              <th>Spot</th>
              <th>Instruments</th>
              <th>Last move</th>
              <th>State</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {ladders.value?.items.map(({ state, ...ladder }) => (
              <tr key={ladder.id}>
                <th scope="row">{ladder.id}</th>
                <td>
                  {ladder.underlying} {ladder.exchange}, ± {ladder.strikes} of {ladder.expiries},{' '}
                  {ladder.option_types.join(' ')}
                  {ladder.futures && ' FUT'}, {ladder.mode}
                  {ladder.account_id && `, ${ladder.account_id}`}
                </td>
                <td>
                  {state.expiries.map(({ expiry, atm }) => (
                    <div key={expiry}>
                      {number(atm)} <small>{expiry}</small>
                    </div>
                  ))}
                </td>
                <td>
                  {number(state.spot?.price)}
                  {state.spot && <small> {Math.round(state.spot.age_ms / 1000)} s ago</small>}
                </td>
                <td>
                  {state.instruments} <small>of at most {ladder.instruments_max}</small>
                </td>
                <td>{timeOf(state.moved_at)}</td>
                <td>{stillWords(state.reason)}</td>
                <td>
                  <button type="button" onClick={() => act(() => api.send('DELETE', path(ladder.id)))}>
                    Remove
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <form onSubmit={put}>
        <label>
          Underlying <input name="underlying" required maxLength={50} placeholder="NIFTY" />
        </label>
        <label>
          Strikes each side <input name="strikes" type="number" required min={0} max={50} defaultValue={10} />
        </label>
        <label>
          Expiries <input name="expiries" type="number" required min={1} max={8} defaultValue={1} />
        </label>
        <label>
          Mode{' '}
          <select name="mode" defaultValue="full">
            <option>ltp</option>
            <option>quote</option>
            <option>full</option>
          </select>
        </label>
        <button type="submit">Keep subscribed</button>
      </form>
    </>
  )
}
