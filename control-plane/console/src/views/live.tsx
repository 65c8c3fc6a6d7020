// Live ticks of the subscribed instruments, with what is stale said to be so.
import { type FormEvent, useCallback, useEffect, useMemo, useState } from 'react'
import type { Api } from '../api/client.ts'
import { EMPTY_VIEW, openStream } from '../api/stream.ts'
import type { Instrument, Page, Problem, Subscription } from '../api/types.ts'
import { number } from '../components/format.ts'
import { ProblemNote } from '../components/problem-note.tsx'
import { asProblem, usePoll } from '../components/use-poll.ts'

const SHOWN_MAX = 500

export function Live({ api }: { api: Api }) {
  const subscriptions = usePoll(
    useCallback(() => api.get<Page<Subscription>>(`/v1/subscriptions?limit=${SHOWN_MAX}`), [api]),
    10_000,
  )
  const [view, setView] = useState(EMPTY_VIEW)
  const [selected, setSelected] = useState<number>()
  const [problem, setProblem] = useState<Problem>()
  const rows = useMemo(() => distinct(subscriptions.value?.items ?? []), [subscriptions.value])
  const wanted = rows.map((row) => row.instrument_token).join(',')

  useEffect(() => {
    setView(EMPTY_VIEW)
    if (wanted === '') return
    return openStream(api, wanted.split(',').map(Number), setView)
  }, [api, wanted])

  async function change(method: 'PUT' | 'DELETE', instrument: string, source: string) {
    try {
      await api.send(method, '/v1/subscriptions', {
        instruments: [instrument],
        source,
        ...(method === 'PUT' ? { mode: 'full' } : {}),
      })
      setProblem(undefined)
      subscriptions.reload()
    } catch (error) {
      setProblem(asProblem(error))
    }
  }

  const chosen = selected === undefined ? undefined : view.ticks.get(selected)
  return (
    <>
      <p className="muted" aria-live="polite">
        Stream: <b className={view.state === 'live' ? 'good' : 'bad'}>{view.state}</b> · gaps {view.gaps} ·
        heartbeats {view.heartbeats}
      </p>
      <Search api={api} onPick={(key) => change('PUT', key, 'console')} />
      <ProblemNote problem={problem ?? subscriptions.problem} />
      {subscriptions.value && rows.length === 0 && (
        <p>Nothing is subscribed: search for an instrument above.</p>
      )}
      <div className="split">
        <div className="scroll">
          <table>
            <thead>
              <tr>
                <th>Instrument</th>
                <th className="num">Last</th>
                <th className="num">Change</th>
                <th className="num">Volume</th>
                <th className="num">OI</th>
                <th>State</th>
                <th />
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => {
                const tick = view.ticks.get(row.instrument_token)
                const key = `${row.exchange}:${row.tradingsymbol}`
                return (
                  <tr
                    key={`${key} ${row.source}`}
                    className={row.instrument_token === selected ? 'chosen' : undefined}
                  >
                    <th scope="row">
                      <button
                        type="button"
                        className="plain"
                        onClick={() => setSelected(row.instrument_token)}
                      >
                        {key}
                      </button>
                    </th>
                    <td className={`num ${tick?.direction ?? ''}`}>{number(tick?.last_price)}</td>
                    <td className="num">
                      {tick?.change_percent == null ? '—' : `${tick.change_percent.toFixed(2)} %`}
                    </td>
                    <td className="num">{number(tick?.volume_traded)}</td>
                    <td className="num">{number(tick?.oi)}</td>
                    <td>{view.states.get(row.instrument_token) ?? '—'}</td>
                    <td>
                      <button
                        type="button"
                        title={`Remove (${row.source})`}
                        onClick={() => change('DELETE', key, row.source)}
                      >
                        ×
                      </button>
                    </td>
                  </tr>
                )
              })}
            </tbody>
          </table>
        </div>
        {chosen?.depth && (
          <aside>
            <h3>Depth</h3>
            <table>
              <thead>
                <tr>
                  <th className="num">Bid qty</th>
                  <th className="num">Bid</th>
                  <th className="num">Offer</th>
                  <th className="num">Offer qty</th>
                </tr>
              </thead>
              <tbody>
                {chosen.depth.buy.map((bid, level) => {
                  const offer = chosen.depth?.sell[level]
                  return (
                    // biome-ignore lint/suspicious/noArrayIndexKey: a level is its place in the book
                    <tr key={level}>
                      <td className="num">{number(bid.quantity)}</td>
                      <td className="num up">{number(bid.price)}</td>
                      <td className="num down">{number(offer?.price)}</td>
                      <td className="num">{number(offer?.quantity)}</td>
                    </tr>
                  )
                })}
              </tbody>
            </table>
          </aside>
        )}
      </div>
    </>
  )
}

type Row = Subscription & { instrument_token: number }

function distinct(subscriptions: Subscription[]): Row[] {
  const rows = new Map<number, Row>()
  for (const each of subscriptions) {
    if (each.instrument_token !== null)
      rows.set(each.instrument_token, { ...each, instrument_token: each.instrument_token })
  }
  return [...rows.values()]
}

function Search({ api, onPick }: { api: Api; onPick: (key: string) => void }) {
  const [found, setFound] = useState<Instrument[]>([])
  async function search(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const prefix = String(new FormData(event.currentTarget).get('prefix') ?? '')
      .trim()
      .toUpperCase()
    const page = await api
      .get<Page<Instrument>>(`/v1/instruments?limit=20&prefix=${encodeURIComponent(prefix)}`)
      .catch(() => undefined)
    setFound(page?.items ?? [])
  }
  return (
    <>
      <form className="row" onSubmit={search}>
        <label>
          Instrument <input name="prefix" required placeholder="INFY, NIFTY26…" />
        </label>
        <button type="submit">Search</button>
      </form>
      {found.length > 0 && (
        <p className="chips">
          {found.map((each) => (
            <button
              type="button"
              key={each.instrument_token}
              onClick={() => onPick(`${each.exchange}:${each.tradingsymbol}`)}
            >
              + {each.exchange}:{each.tradingsymbol}
            </button>
          ))}
        </p>
      )}
    </>
  )
}
