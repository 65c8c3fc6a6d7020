// The dump: refreshes that were asked for, one that was refused, and what dumps said otherwise of living contracts.
import { useCallback, useState } from 'react'
import type { Api } from '../api/client.ts'
import type { InstrumentChange, InstrumentRefresh, Page, Problem } from '../api/types.ts'
import { number, timeOf } from '../components/format.ts'
import { ProblemNote } from '../components/problem-note.tsx'
import { asProblem, usePoll } from '../components/use-poll.ts'

const REFRESHES_EVERY_MS = 3_000
const CHANGES_EVERY_MS = 30_000

export function Instruments({ api }: { api: Api }) {
  const [subscribed, setSubscribed] = useState(true)
  const refreshes = usePoll(
    useCallback(() => api.get<Page<InstrumentRefresh>>('/v1/instrument-refreshes?limit=5'), [api]),
    REFRESHES_EVERY_MS,
  )
  const changes = usePoll(
    useCallback(
      () => api.get<Page<InstrumentChange>>(`/v1/instrument-changes?limit=100&subscribed=${subscribed}`),
      [api, subscribed],
    ),
    CHANGES_EVERY_MS,
  )
  const [problem, setProblem] = useState<Problem>()
  const [last] = refreshes.value?.items ?? []

  async function refresh(force_sha256?: string) {
    try {
      await api.send('POST', '/v1/instrument-refreshes', force_sha256 === undefined ? {} : { force_sha256 })
      setProblem(undefined)
      refreshes.reload()
    } catch (error) {
      setProblem(asProblem(error))
    }
  }

  return (
    <>
      <ProblemNote problem={problem ?? refreshes.problem ?? changes.problem} />
      <h2>Refreshes asked for</h2>
      <p className="chips">
        <button type="button" onClick={() => refresh()} disabled={last?.state === 'waiting'}>
          Fetch the dump now
        </button>
        {last?.refused_sha256 && (
          <button type="button" onClick={() => refresh(last.refused_sha256 ?? undefined)}>
            Store the refused dump {last.refused_sha256.slice(0, 8)} all the same
          </button>
        )}
      </p>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>Asked</th>
              <th>Ended</th>
              <th>State</th>
              <th>Rows</th>
              <th>Why not</th>
            </tr>
          </thead>
          <tbody>
            {refreshes.value?.items.map((each) => (
              <tr key={each.id}>
                <td>{timeOf(each.requested_at)}</td>
                <td>{timeOf(each.finished_at)}</td>
                <td className={each.state === 'failed' ? 'bad' : undefined}>
                  {each.state}
                  {each.force_sha256 && ` (forced ${each.force_sha256.slice(0, 8)})`}
                </td>
                <td>{number(each.row_count)}</td>
                <td>{each.reason}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {refreshes.value?.items.length === 0 && <p>None: the dump is fetched by itself after 08:30 IST.</p>}
      <h2>What dumps changed</h2>
      <label className="check">
        <input
          type="checkbox"
          checked={subscribed}
          onChange={(event) => setSubscribed(event.target.checked)}
        />{' '}
        only what I subscribe
      </label>
      <div className="scroll">
        <table>
          <thead>
            <tr>
              <th>When</th>
              <th>Contract</th>
              <th>What</th>
              <th>Before</th>
              <th>Now</th>
            </tr>
          </thead>
          <tbody>
            {changes.value?.items.map((each) => (
              <tr key={each.id}>
                <td>{timeOf(each.at)}</td>
                <th scope="row">
                  {each.exchange}:{each.tradingsymbol}
                </th>
                <td className={each.change === 'gone' ? 'bad' : undefined}>{each.change}</td>
                <td>{each.before ?? '—'}</td>
                <td>{each.after ?? '—'}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {changes.value?.items.length === 0 && <p>Nothing in the last 100 days.</p>}
    </>
  )
}
