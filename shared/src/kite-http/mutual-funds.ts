// Mutual funds of an account: reads alone, the broker takes no orders for them any more (KITE.md 5.5).
import { z } from 'zod'
import { brokerFundHolding, fundOrder, fundSip, fundTrade } from '../domain/mutual-funds.ts'
import { parseBrokerTime } from '../domain/time.ts'
import type { KiteOutcome } from './envelope.ts'
import { type Credentials, type KiteHttp, request } from './request.ts'
import { listed, ROWS_MAX, type Rows, UNREADABLE } from './rows.ts'

type Read<T> = (http: KiteHttp, credentials: Credentials) => Promise<KiteOutcome<Rows<T>>>

export const getFundHoldings: Read<z.output<typeof brokerFundHolding>> = async (http, credentials) =>
  listed(brokerFundHolding, await request(http, '/mf/holdings', { method: 'GET', credentials }))

export async function getFundTrades(
  http: KiteHttp,
  credentials: Credentials,
  isin: string,
): Promise<KiteOutcome<Rows<z.output<typeof fundTrade>>>> {
  const path = `/mf/holdings/${encodeURIComponent(isin)}`
  return listed(fundTrade, await request(http, path, { method: 'GET', credentials }))
}

export async function getFundAllotments(
  http: KiteHttp,
  credentials: Credentials,
): Promise<KiteOutcome<string[]>> {
  const outcome = await request(http, '/mf/allotments', { method: 'GET', credentials })
  if (!outcome.ok) return outcome
  const said = z.array(z.string()).max(ROWS_MAX).nullable().safeParse(outcome.data)
  return said.success ? { ok: true, data: said.data ?? [] } : UNREADABLE
}

const text = z.string().nullable()
/** As the broker sends it: when in IST, without a zone. */
const orderRow = fundOrder
  .omit({ ordered_at: true, exchange_date: true })
  .extend({ order_timestamp: text, exchange_timestamp: text })

/** Of the last seven days. */
export const getFundOrders: Read<z.output<typeof fundOrder>> = async (http, credentials) =>
  mapped(
    listed(orderRow, await request(http, '/mf/orders', { method: 'GET', credentials })),
    ({ order_timestamp, exchange_timestamp, ...order }) => ({
      ...order,
      ordered_at: instantOf(order_timestamp),
      exchange_date: exchange_timestamp?.slice(0, 10) ?? null,
    }),
  )

const sipRow = fundSip
  .omit({ last_instalment_at: true, created_at: true })
  .extend({ last_instalment: text, created: text })

export const getFundSips: Read<z.output<typeof fundSip>> = async (http, credentials) =>
  mapped(
    listed(sipRow, await request(http, '/mf/sips', { method: 'GET', credentials })),
    ({ last_instalment, created, ...sip }) => ({
      ...sip,
      last_instalment_at: instantOf(last_instalment),
      created_at: instantOf(created),
    }),
  )

function instantOf(text: string | null): string | null {
  const ms = parseBrokerTime(text)
  return ms === undefined ? null : new Date(ms).toISOString()
}

function mapped<Row, Shown>(
  outcome: KiteOutcome<Rows<Row>>,
  shown: (row: Row) => Shown,
): KiteOutcome<Rows<Shown>> {
  if (!outcome.ok) return outcome
  const { rows, omitted } = outcome.data
  return { ok: true, data: { rows: rows.map(shown), omitted } }
}
