// What an account holds, has and has traded (KITE.md 5.5).
import { z } from 'zod'
import {
  type BrokerHolding,
  type BrokerPosition,
  type BrokerTrade,
  brokerHolding,
  brokerPosition,
  brokerTrade,
  type FundsSegment,
  fundsSegment,
} from '../domain/portfolio.ts'
import { parseBrokerTime } from '../domain/time.ts'
import type { KiteOutcome } from './envelope.ts'
import { type Credentials, type KiteHttp, request } from './request.ts'
import { listed, type Rows, rowOf, rowsOf, UNREADABLE } from './rows.ts'

export interface KitePositions {
  net: Rows<BrokerPosition>
  day: Rows<BrokerPosition>
}

const positionLists = z.object({ net: z.array(z.unknown()), day: z.array(z.unknown()) })

export async function getPositions(
  http: KiteHttp,
  credentials: Credentials,
): Promise<KiteOutcome<KitePositions>> {
  const outcome = await request(http, '/portfolio/positions', { method: 'GET', credentials })
  if (!outcome.ok) return outcome
  const lists = positionLists.safeParse(outcome.data)
  if (!lists.success) return UNREADABLE
  const { net, day } = lists.data
  return { ok: true, data: { net: rowsOf(brokerPosition, net), day: rowsOf(brokerPosition, day) } }
}

export async function getHoldings(
  http: KiteHttp,
  credentials: Credentials,
): Promise<KiteOutcome<Rows<BrokerHolding>>> {
  return listed(brokerHolding, await request(http, '/portfolio/holdings', { method: 'GET', credentials }))
}

export interface KiteFunds {
  equity: FundsSegment | null
  commodity: FundsSegment | null
}

const segments = z.record(z.string(), z.unknown())

/** Sums are the broker's: its own samples do not add up, and nothing here is computed again. */
export async function getFunds(http: KiteHttp, credentials: Credentials): Promise<KiteOutcome<KiteFunds>> {
  const outcome = await request(http, '/user/margins', { method: 'GET', credentials })
  if (!outcome.ok) return outcome
  const said = segments.safeParse(outcome.data)
  if (!said.success) return UNREADABLE
  const segment = (name: string) => (said.data[name] ? (rowOf(fundsSegment, said.data[name]) ?? null) : null)
  return { ok: true, data: { equity: segment('equity'), commodity: segment('commodity') } }
}

/** As the broker sends it: when in IST, without a zone. */
const tradeRow = brokerTrade.omit({ traded_at: true }).extend({
  fill_timestamp: z.string().nullable(),
  exchange_timestamp: z.string().nullable(),
})

/** Today's. */
export async function getTrades(
  http: KiteHttp,
  credentials: Credentials,
): Promise<KiteOutcome<Rows<BrokerTrade>>> {
  const outcome = listed(tradeRow, await request(http, '/trades', { method: 'GET', credentials }))
  if (!outcome.ok) return outcome
  const { rows, omitted } = outcome.data
  const trades = rows.map(({ fill_timestamp, exchange_timestamp, ...trade }) => {
    const atMs = parseBrokerTime(fill_timestamp) ?? parseBrokerTime(exchange_timestamp)
    return { ...trade, traded_at: atMs === undefined ? null : new Date(atMs).toISOString() }
  })
  return { ok: true, data: { rows: trades, omitted } }
}
