// What is known of a range of candles while it comes in: the past page by page, and of today what ticks make.
import { useEffect, useState } from 'react'
import { type LiveCandles, NO_LIVE_CANDLES, openCandles } from '../api/candle-stream.ts'
import type { Api } from '../api/client.ts'
import type { Candle, HistoryPage, Problem } from '../api/types.ts'
import { asProblem } from './use-poll.ts'

export interface Ask {
  instrument: string
  interval: string
  from: string
  /** Empty: until now, and on. */
  to: string
}

export interface Past {
  candles: readonly Candle[]
  /** All that there were; the oldest of very many are not kept. */
  count: number
  /** The last one; undefined: none came yet. */
  page: HistoryPage | undefined
  problem: Problem | undefined
}

const PAGE_CANDLES = 5_000
const CANDLES_MAX = 10_000
/** Of what takes longer it is said soon how far it is. */
const PROGRESS = { Prefer: 'wait=2' }
const NOTHING: Past = { candles: [], count: 0, page: undefined, problem: undefined }

export function usePast(api: Api, ask: Ask): Past {
  const [past, setPast] = useState(NOTHING)
  useEffect(() => {
    let isWanted = true
    setPast(NOTHING)
    async function follow() {
      let cursor: string | null = ''
      while (isWanted && cursor !== null) {
        const page: HistoryPage = await api.get(pathOf(ask, cursor), PROGRESS)
        cursor = page.next_cursor
        if (!isWanted) return
        setPast(({ candles, count }) => ({
          candles: [...candles, ...page.candles].slice(-CANDLES_MAX),
          count: count + page.candles.length,
          page,
          problem: undefined,
        }))
      }
    }
    follow().catch((error: unknown) => {
      if (isWanted) setPast((known) => ({ ...known, problem: asProblem(error) }))
    })
    return () => {
      isWanted = false
    }
  }, [api, ask])
  return past
}

export function useLiveCandles(api: Api, { instrument, interval, to }: Ask): LiveCandles | undefined {
  const [live, setLive] = useState(NO_LIVE_CANDLES)
  const isWanted = to === ''
  useEffect(() => {
    setLive(NO_LIVE_CANDLES)
    return isWanted ? openCandles(api, instrument, interval, setLive) : undefined
  }, [api, instrument, interval, isWanted])
  return isWanted ? live : undefined
}

function pathOf({ instrument, interval, from, to }: Ask, cursor: string): string {
  const query = new URLSearchParams({ interval, from, limit: String(PAGE_CANDLES) })
  if (to !== '') query.set('to', to)
  if (cursor !== '') query.set('cursor', cursor)
  return `/v1/history/${encodeURIComponent(instrument)}?${query}`
}
