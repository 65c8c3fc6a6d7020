// What the broker adds to an exchange's hours: from when it squares off intraday (MIS) positions and takes no new ones,
// and when it takes after-market orders (AMO). The broker's policy, not a rule of the exchange, and changed by its risk
// team on volatile days: dated, with its page, and never confirmed by a circular.
import { istDay } from '../domain/time.ts'

/** IST 'hh:mm', or so long before continuous trading ends. */
type Cutoff = { at: string } | { minutesBeforeClose: number }

export interface BrokerTimesRow {
  exchanges: readonly string[]
  /** First IST day it holds; until the exchange's next row. */
  from: string
  misCutoff: Cutoff
  /** From the evening of one trading day (absent: when trading ends) to the morning of the next; between, on any closed day. */
  amo: { from?: string; until: string | { minutesBeforeOpen: number } }
  confirmed: boolean
  source: string
}

const SQUARE_OFF = 'support.zerodha.com: auto square-off timings for open intraday positions'
const AMO = 'support.zerodha.com: what is an after market order'
const BOTH = `${SQUARE_OFF}; ${AMO}; both undated`

const row = (
  exchanges: string[],
  from: string,
  misCutoff: Cutoff,
  amo: BrokerTimesRow['amo'],
  source = BOTH,
): BrokerTimesRow => ({ exchanges, from, misCutoff, amo, source, confirmed: false })

export const BROKER_TIMES: readonly BrokerTimesRow[] = [
  row(['NSE', 'BSE'], '2025-12-01', { at: '15:20' }, { from: '16:00', until: '08:58' }),
  // Stocks with derivatives leave continuous trading at 15:15 since the closing auction; the broker's page is older.
  row(
    ['NSE', 'BSE'],
    '2026-08-03',
    { at: '15:15' },
    { from: '16:00', until: '08:58' },
    `derived: stocks with derivatives trade continuously until 15:15 (NSE CMTR74466), the broker's 15:20 is older; ${AMO}`,
  ),
  row(['NFO', 'BFO'], '2025-12-01', { at: '15:25' }, { from: '15:45', until: '09:10' }),
  row(['CDS', 'BCD'], '2025-12-01', { at: '16:45' }, { from: '17:00', until: '08:59' }),
  // On a holiday of the morning they trade in the evening alone.
  row(['MCX', 'NCO', 'BCO'], '2025-12-01', { minutesBeforeClose: 25 }, { until: { minutesBeforeOpen: 2 } }),
]

export interface BrokerTimes {
  misCutoffMs: number
  /** After-market orders of this day: from when in its evening. */
  amoFromMs: number
  /** Until when the orders for this day are taken: in its morning, or before a session of the evening. */
  amoUntilMs: number
  confirmed: boolean
  source: string
}

/** Of a day on which the exchange trades continuously from `openMs` until `closeMs`. */
export function brokerTimesOf(
  exchange: string,
  { openMs, closeMs }: { openMs: number; closeMs: number },
  rows: readonly BrokerTimesRow[] = BROKER_TIMES,
): BrokerTimes | undefined {
  const date = istDay(closeMs)
  const found = rows.findLast((each) => each.exchanges.includes(exchange) && each.from <= date)
  if (!found) return undefined
  const { misCutoff, amo, confirmed, source } = found
  const atMs = (time: string) => Date.parse(`${date}T${time}:00+05:30`)
  const plannedMs = 'at' in misCutoff ? atMs(misCutoff.at) : closeMs - misCutoff.minutesBeforeClose * 60_000
  return {
    // A short session ends before the usual cut-off, and one of the evening begins after it.
    misCutoffMs: plannedMs > openMs ? Math.min(plannedMs, closeMs) : closeMs,
    amoFromMs: amo.from === undefined ? closeMs : atMs(amo.from),
    amoUntilMs:
      typeof amo.until === 'string' ? atMs(amo.until) : openMs - amo.until.minutesBeforeOpen * 60_000,
    confirmed,
    source,
  }
}
