// Whether orders may go out, for the whole fleet and by account, and the kill switch.
import { useCallback, useState } from 'react'
import type { Api } from '../api/client.ts'
import type { TradingState, TradingStates } from '../api/types.ts'
import { timeOf } from '../components/format.ts'
import { ProblemNote } from '../components/problem-note.tsx'
import { RiskLimitsTable } from '../components/risk-limits.tsx'
import { useAction } from '../components/use-action.ts'
import { usePoll } from '../components/use-poll.ts'
import { Exits } from './exits.tsx'

const POLL_MS = 2_000
/** What the broker takes. */
const CANCELS_PER_SECOND = 10
const MEANING: Record<TradingState, string> = {
  ACTIVE: 'orders go out',
  REDUCING: 'only what reduces a position goes out',
  HALTED: 'cancels alone go out',
}

export function Risk({ api }: { api: Api }) {
  const states = usePoll(
    useCallback(() => api.get<TradingStates>('/v1/trading-state'), [api]),
    POLL_MS,
  )
  const { act, problem } = useAction(states.reload)
  const [reason, setReason] = useState('')
  const why = reason.trim()

  const change = (state: TradingState, account_id?: string) =>
    act(() => api.send('PUT', '/v1/trading-state', { account_id, state, reason: why || 'from the console' }))
  const changeFleet = (state: TradingState) => {
    if (!window.confirm(`${state}: of EVERY account of every owner?`)) return
    void act(() => api.send('PUT', '/v1/fleet/trading-state', { state, reason: why || 'from the console' }))
  }
  const kill = (account_id?: string) => {
    const of = account_id ?? 'EVERY account'
    if (!window.confirm(`Halt ${of} and cancel everything that is open there, whoever placed it?`)) return
    void act(() => api.send('POST', '/v1/kill-switch', { account_id, reason: why || 'from the console' }))
  }

  return (
    <>
      <h2>Risk</h2>
      <div className="row">
        <label>
          Reason
          <input value={reason} maxLength={200} onChange={(event) => setReason(event.target.value)} />
        </label>
        <button type="button" className="bad" onClick={() => kill()}>
          Kill switch: halt and cancel everything
        </button>
      </div>
      <ProblemNote problem={problem ?? states.problem} />
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>Account</th>
              <th>State</th>
              <th>Why</th>
              <th>Since</th>
              <th className="num">Open at the broker</th>
              <th className="num">In doubt</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {states.value && (
              <tr>
                <th scope="row">The whole fleet</th>
                <td className={states.value.fleet.state === 'ACTIVE' ? 'good' : 'bad'}>
                  <b>{states.value.fleet.state}</b> <small>{MEANING[states.value.fleet.state]}</small>
                </td>
                <td>{states.value.fleet.reason}</td>
                <td>{timeOf(states.value.fleet.changed_at)}</td>
                <td colSpan={2} />
                <td>
                  <StateButtons now={states.value.fleet.state} onChange={changeFleet} />
                </td>
              </tr>
            )}
            {states.value?.accounts.map((account) => (
              <tr key={account.account_id}>
                <th scope="row">{account.account_id}</th>
                <td className={account.state === 'ACTIVE' ? 'good' : 'bad'}>
                  <b>{account.state}</b> <small>{MEANING[account.state]}</small>
                  {account.sweep_requested_at && (
                    <small>
                      {' '}
                      cancelling what is open, some {Math.ceil(account.open_orders / CANCELS_PER_SECOND)} s …
                    </small>
                  )}
                </td>
                <td>{account.reason}</td>
                <td>{timeOf(account.changed_at)}</td>
                <td className="num">{account.open_orders}</td>
                <td className="num">{account.orders_in_doubt}</td>
                <td>
                  <StateButtons now={account.state} onChange={(state) => change(state, account.account_id)} />
                  <button type="button" className="bad" onClick={() => kill(account.account_id)}>
                    Kill
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <RiskLimitsTable
        api={api}
        accounts={states.value?.accounts.map(({ account_id }) => account_id) ?? []}
      />
      <Exits api={api} />
    </>
  )
}

function StateButtons({ now, onChange }: { now: TradingState; onChange: (state: TradingState) => void }) {
  return (['ACTIVE', 'REDUCING', 'HALTED'] as const)
    .filter((state) => state !== now)
    .map((state) => (
      <button key={state} type="button" onClick={() => onChange(state)}>
        {state}
      </button>
    ))
}
