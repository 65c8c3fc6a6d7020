// Candles of one instrument: those of the past, and while its ticks come the one that forms.
import { type FormEvent, useMemo, useState } from 'react'
import type { LiveCandles } from '../api/candle-stream.ts'
import type { Api } from '../api/client.ts'
import { CandleChart } from '../components/candle-chart.tsx'
import { pointsOf } from '../components/chart-points.ts'
import { number } from '../components/format.ts'
import { InstrumentInput } from '../components/instrument-input.tsx'
import { ProblemNote } from '../components/problem-note.tsx'
import { type Ask, type Past, useLiveCandles, usePast } from '../components/use-candles.ts'

const INTERVALS = ['1m', '3m', '5m', '10m', '15m', '30m', '1h', '1d']
const IST_OFFSET_MS = 330 * 60_000

export function Candles({ api }: { api: Api }) {
  const [ask, setAsk] = useState<Ask>(() => ({
    ...{ instrument: 'NSE:NIFTY 50', interval: '15m', from: daysAgo(10), to: '' },
  }))

  function show(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = (name: string) => String(form.get(name)).trim()
    setAsk({
      ...{ instrument: text('instrument'), interval: text('interval') },
      ...{ from: text('from'), to: text('to') },
    })
  }

  return (
    <>
      <form className="row" onSubmit={show}>
        <InstrumentInput api={api} name="instrument" initial={ask.instrument} />
        <label>
          Interval{' '}
          <select name="interval" defaultValue={ask.interval}>
            {INTERVALS.map((interval) => (
              <option key={interval}>{interval}</option>
            ))}
          </select>
        </label>
        <label>
          From <input name="from" type="date" required defaultValue={ask.from} />
        </label>
        <label>
          To (empty: live) <input name="to" type="date" />
        </label>
        <button type="submit">Show</button>
      </form>
      <Range key={JSON.stringify(ask)} api={api} ask={ask} />
    </>
  )
}

function Range({ api, ask }: { api: Api; ask: Ask }) {
  const past = usePast(api, ask)
  const live = useLiveCandles(api, ask)
  const points = useMemo(
    () => pointsOf(past.candles, live?.candles.values() ?? [], ask.interval),
    [past.candles, live?.candles, ask.interval],
  )
  const { page, problem, count } = past
  return (
    <>
      <ProblemNote problem={problem} />
      <h2>
        {page ? `${page.exchange}:${page.tradingsymbol}` : ask.instrument} {ask.interval}{' '}
        {(page?.synthetic ?? live?.synthetic) && <small className="badge">synthetic</small>}
      </h2>
      <p className="muted" aria-live="polite">
        <Progress past={past} />
        {page && live && <LiveState live={live} />}
      </p>
      {points.length > 0 ? (
        <CandleChart points={points} isIntraday={ask.interval !== '1d'} />
      ) : (
        page?.complete && <p>Nothing was traded in that range, and no tick has come yet.</p>
      )}
      {points.length > 0 && (
        <small>
          Times are India’s. Nights and holidays take no room; a gap within a day is one. Grey: ticks may be
          missing.
          {count > past.candles.length && ` The picture has the newest ${number(past.candles.length)}.`}
        </small>
      )}
    </>
  )
}

function Progress({ past: { count, page, problem } }: { past: Past }) {
  if (!page) return problem ? null : <>Loading …</>
  return (
    <>
      {number(count)} candles of the past
      {page.next_cursor !== null && !problem && ' · more is loading …'}
      {page.loads.map(({ id, days }) => (
        <span key={id}>
          {' '}
          · being fetched: {number(days.loaded)} of {number(days.total)} days{' '}
          <progress value={days.loaded} max={days.total} />
        </span>
      ))}
    </>
  )
}

function LiveState({ live: { connection, ticks, refusal } }: { live: LiveCandles }) {
  const state = refusal ? 'refused' : connection === 'live' ? (ticks?.state ?? 'connecting') : connection
  return (
    <>
      {' '}
      · live candles: <b className={state === 'live' ? 'good' : 'bad'}>{state.replaceAll('_', ' ')}</b>
      {ticks?.reason && ` (${ticks.reason.replaceAll('_', ' ')})`}
      {refusal && <span className="bad"> {refusal}</span>}
    </>
  )
}

/** In India. */
const daysAgo = (days: number) =>
  new Date(Date.now() + IST_OFFSET_MS - days * 86_400_000).toISOString().slice(0, 10)
