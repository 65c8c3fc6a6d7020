// Candles of the past of one instrument: the newest of a range as a picture, and how far the fetching of the range is.
import { type FormEvent, useEffect, useState } from 'react'
import { type Api, ApiError } from '../api/client.ts'
import type { Candle, HistoryPage, Problem } from '../api/types.ts'
import { CandleChart } from '../components/candle-chart.tsx'
import { number } from '../components/format.ts'
import { ProblemNote } from '../components/problem-note.tsx'

const INTERVALS = ['1m', '3m', '5m', '10m', '15m', '30m', '1h', '1d']
const PAGE_CANDLES = 5_000
/** More are thinner than a pixel. */
const SHOWN_MAX = 300
const IST_OFFSET_MS = 330 * 60_000

interface Ask {
  instrument: string
  interval: string
  from: string
}
interface Shown {
  candles: Candle[]
  count: number
  page: HistoryPage
}

export function History({ api }: { api: Api }) {
  const [ask, setAsk] = useState<Ask>(() => ({
    instrument: 'NSE:NIFTY 50',
    interval: '15m',
    from: daysAgo(10),
  }))
  const [shown, setShown] = useState<Shown>()
  const [problem, setProblem] = useState<Problem>()

  useEffect(() => {
    let isWanted = true
    setShown(undefined)
    setProblem(undefined)
    async function follow() {
      let [cursor, candles, count]: [string | null, Candle[], number] = ['', [], 0]
      while (isWanted && cursor !== null) {
        const page: HistoryPage = await api.get(pathOf(ask, cursor))
        cursor = page.next_cursor
        count += page.candles.length
        candles = [...candles, ...page.candles].slice(-SHOWN_MAX)
        if (isWanted) setShown({ candles, count, page })
      }
    }
    follow().catch((error: unknown) => {
      if (isWanted && error instanceof ApiError) setProblem(error.problem)
    })
    return () => {
      isWanted = false
    }
  }, [api, ask])

  function show(event: FormEvent<HTMLFormElement>) {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    const text = (name: string) => String(form.get(name)).trim()
    setAsk({ instrument: text('instrument'), interval: text('interval'), from: text('from') })
  }

  return (
    <>
      <ProblemNote problem={problem} />
      <h2>History</h2>
      <form onSubmit={show}>
        <label>
          Instrument <input name="instrument" required maxLength={120} defaultValue={ask.instrument} />
        </label>
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
        <button type="submit">Show</button>
      </form>
      {shown && <Range {...shown} />}
    </>
  )
}

function Range({ candles, count, page }: Shown) {
  const last = candles.at(-1)
  return (
    <>
      <p>
        {page.exchange}:{page.tradingsymbol} {page.interval}: {number(count)} candles
        {last && `, the last closed at ${number(last.close)}`}
        {page.loads.map(({ id, days }) => (
          <small key={id}>
            {' '}
            being fetched: {number(days.loaded)} of {number(days.total)} days
          </small>
        ))}
      </p>
      <CandleChart candles={candles} />
      {count > candles.length && <small>The picture has the newest {candles.length}.</small>}
    </>
  )
}

function pathOf({ instrument, interval, from }: Ask, cursor: string): string {
  const query = new URLSearchParams({
    interval,
    from,
    limit: String(PAGE_CANDLES),
    ...(cursor ? { cursor } : {}),
  })
  return `/v1/history/${encodeURIComponent(instrument)}?${query}`
}

/** In India. */
const daysAgo = (days: number) =>
  new Date(Date.now() + IST_OFFSET_MS - days * 86_400_000).toISOString().slice(0, 10)
