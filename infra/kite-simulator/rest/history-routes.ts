// /instruments/historical/:token/:interval: candles, at most so many days of an interval a request (KITE.md 6).
import { Hono } from 'hono'
import { type DatedBar, INTERVALS } from '../history/histories.ts'
import { DAY_MS, istTimestamp, parseIst } from '../ist-time.ts'
import { inputRefused } from '../refusal.ts'
import { authenticate } from './authenticate.ts'
import type { RestEnv, RestParts } from './env.ts'
import { refuse, success } from './envelope.ts'

export function historyRoutes(parts: RestParts): Hono<RestEnv> {
  const { engine, instruments, histories } = parts
  const app = new Hono<RestEnv>()
  app.get('/instruments/historical/:token/:interval', authenticate(parts), (c) => {
    histories.requests += 1
    // What is made up must not be taken for the market whose prices are real here.
    if (engine.isLive)
      return refuse(c, inputRefused('A paper broker has no history: ask the market data account.'))
    const interval = INTERVALS[c.req.param('interval')]
    const instrument = instruments.get(Number(c.req.param('token')))
    const [fromMs, toMs] = [momentOf(c.req.query('from')), momentOf(c.req.query('to'))]
    const continuous = c.req.query('continuous') === '1'
    if (interval === undefined) return refuse(c, inputRefused('invalid interval'))
    if (instrument === undefined) return refuse(c, inputRefused('invalid token'))
    if (Number.isNaN(fromMs)) return refuse(c, inputRefused('invalid from date'))
    if (Number.isNaN(toMs)) return refuse(c, inputRefused('invalid to date'))
    if (toMs < fromMs) return refuse(c, inputRefused('from date should be before to date'))
    if (toMs - fromMs > interval.daysMax * DAY_MS)
      return refuse(c, inputRefused(`interval exceeds max limit: ${interval.daysMax} days`))
    if (continuous && (interval.minutes !== null || instrument.instrument_type !== 'FUT'))
      return refuse(c, inputRefused('invalid interval for continuous data'))
    const withInterest = c.req.query('oi') === '1'
    const bars = histories.bars(instrument, interval.minutes, fromMs, toMs, continuous)
    return success(c, { candles: bars.map((bar) => rowOf(bar, withInterest)) })
  })
  return app
}

/** `yyyy-mm-dd`, or with a time; in India. */
function momentOf(text: string | undefined): number {
  if (text === undefined) return Number.NaN
  return parseIst(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text} 00:00:00` : text)
}

function rowOf({ atMs, open, high, low, close, volume, oi }: DatedBar, withInterest: boolean) {
  const time = `${istTimestamp(atMs).replace(' ', 'T')}+0530`
  return [time, open, high, low, close, volume, ...(withInterest ? [oi] : [])]
}
