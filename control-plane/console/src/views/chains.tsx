// One option chain as it is streamed: calls on the left, puts on the right, and what they say together.
import { type FormEvent, useCallback, useState } from 'react'
import type { Api } from '../api/client.ts'
import type { OptionChain, OptionLeg } from '../api/types.ts'
import { noVolatilityWords, number, percent } from '../components/format.ts'
import { ProblemNote } from '../components/problem-note.tsx'
import { usePoll } from '../components/use-poll.ts'

const POLL_MS = 2_000
const STRIKES = 15

export function Chains({ api }: { api: Api }) {
  const [path, setPath] = useState(pathOf('NIFTY', ''))
  const { value: chain, problem } = usePoll(
    useCallback(() => api.get<OptionChain>(path), [api, path]),
    POLL_MS,
  )

  function show(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const underlying = String(form.get('underlying')).trim().toUpperCase()
    setPath(pathOf(underlying, underlying === chain?.underlying ? String(form.get('expiry')) : ''))
  }

  return (
    <>
      <ProblemNote problem={problem} />
      <h2>Option chains</h2>
      <form onSubmit={show}>
        <label>
          Underlying <input name="underlying" required maxLength={100} defaultValue="NIFTY" />
        </label>
        <label>
          Expiry{' '}
          <select name="expiry">
            {chain?.expiries.map((expiry) => (
              <option key={expiry}>{expiry}</option>
            ))}
          </select>
        </label>
        <button type="submit">Show</button>
      </form>
      {chain && !problem && <Shown chain={chain} />}
    </>
  )
}

function Shown({ chain }: { chain: OptionChain }) {
  const on = chain.model === 'black76' ? chain.future : (chain.spot ?? chain.future)
  return (
    <>
      <p>
        {chain.underlying} {chain.expiry}, {number(chain.days_to_expiry)} days; {on?.instrument}{' '}
        {number(on?.price)}
        {chain.model &&
          `, ${chain.model} at ${percent(chain.rate)}, dividend ${percent(chain.dividend_yield)}`}
        {chain.unavailable && `: ${noVolatilityWords(chain.unavailable)}`}
      </p>
      <p>
        At the money {percent(chain.atm_iv)}, skew {percent(chain.skew_25d)}, put-call ratio{' '}
        {number(chain.pcr_oi)}, max pain {number(chain.max_pain)}{' '}
        <small>of {chain.max_pain_strikes} strikes</small>{' '}
        <small>
          of {chain.legs.streamed} streamed of {chain.legs.listed} listed
        </small>
      </p>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              {['OI', 'Theta', 'Delta', 'IV', 'Price', 'Strike', 'Price', 'IV', 'Delta', 'Theta', 'OI'].map(
                (title, at) => (
                  <th key={`${title}${at > 5 ? ' of the put' : ''}`}>{title}</th>
                ),
              )}
            </tr>
          </thead>
          <tbody>
            {chain.strikes.map(({ strike, call, put }) => (
              <tr key={strike} aria-current={strike === chain.atm_strike}>
                {cellsOf(call, 'call').toReversed()}
                <th scope="row">{number(strike)}</th>
                {cellsOf(put, 'put')}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

function cellsOf(leg: OptionLeg | null, side: string) {
  return [
    <td key={`${side} price`}>{number(leg?.last_price)}</td>,
    <td key={`${side} iv`}>
      {leg?.unavailable ? <small>{noVolatilityWords(leg.unavailable)}</small> : percent(leg?.iv)}
    </td>,
    <td key={`${side} delta`}>{number(leg?.delta)}</td>,
    <td key={`${side} theta`}>{number(leg?.theta)}</td>,
    <td key={`${side} oi`}>{number(leg?.oi)}</td>,
  ]
}

function pathOf(underlying: string, expiry: string): string {
  const query = new URLSearchParams({ strikes: String(STRIKES), ...(expiry ? { expiry } : {}) })
  return `/v1/option-chains/${encodeURIComponent(underlying)}?${query}`
}
