// Shares in the depository, of an unmodified Kite client: as they are, in sums, what is auctioned, and letting the broker sell
// them. Go alone asks for sums and the short form.
import {
  auctions,
  type Holding,
  type HoldingToAuthorise,
  holdings,
  holdingsToAuthorise,
} from '@ticker/shared/domain'
import { Hono } from 'hono'
import type { Call } from '../http/call.ts'
import { settle } from '../http/problem.ts'
import { askAccount } from '../portfolio/ask-account.ts'
import { authoriseHoldings } from '../portfolio/authorise.ts'
import type { KiteEnv } from './env.ts'
import { badInput, success } from './envelope.ts'
import { zeros } from './zeros.ts'

export function holdingRoutes() {
  return new Hono<KiteEnv>()
    .get('/portfolio/holdings', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      const held = await heldBy(call, accountId)
      return success(
        held.map(({ own: _, discrepancy, mtf, ...row }) => ({
          ...{ ...zeros(row), discrepancy: discrepancy ?? false, mtf: zeros(mtf) },
        })),
      )
    })
    .get('/portfolio/holdings/summary', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      return success(sums(await heldBy(call, accountId)))
    })
    .get('/portfolio/holdings/compact', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      const held = await heldBy(call, accountId)
      return success(
        held.map(({ exchange, tradingsymbol, instrument_token, t1_quantity, quantity }) =>
          zeros({ exchange, tradingsymbol, instrument_token, t1_quantity, quantity }),
        ),
      )
    })
    .get('/portfolio/holdings/auctions', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      const answer = settle(await askAccount(call, accountId, { read: 'auctions' }, auctions))
      return success(
        answer.auctions.map(({ discrepancy, ...row }) => ({
          ...{ ...zeros(row), discrepancy: discrepancy ?? false },
        })),
      )
    })
    .post('/portfolio/holdings/authorise', async (c) => {
      const { call, accountId } = c.var.kite('orders:write')
      const stated = statedHoldings(new URLSearchParams(await c.req.text()))
      const { request_id, url } = settle(await authoriseHoldings(call, accountId, stated))
      // Clients make the link of the api_key they have, which is not the broker's.
      return success({ request_id, redirect_url: url })
    })
}

const heldBy = async (call: Call, accountId: string) =>
  settle(await askAccount(call, accountId, { read: 'holdings' }, holdings)).holdings

/** By the broker's prices, as it sums them itself. */
function sums(held: readonly Holding[]) {
  const sum = (of: (row: Holding, quantity: number) => number) =>
    held.reduce((total, row) => total + of(row, row.quantity + (row.t1_quantity ?? 0)), 0)
  const invested_amount = sum((row, quantity) => quantity * (row.average_price ?? 0))
  const current_value = sum((row, quantity) => quantity * (row.last_price ?? 0))
  const today_pnl = sum((row, quantity) => quantity * (row.day_change ?? 0))
  const total_pnl = current_value - invested_amount
  const percent = (of: number, whole: number) => (whole === 0 ? 0 : (of / whole) * 100)
  return {
    ...{ total_pnl, total_pnl_percent: percent(total_pnl, invested_amount), today_pnl },
    today_pnl_percent: percent(today_pnl, current_value - today_pnl),
    ...{ invested_amount, current_value },
  }
}

/** `isin` and `quantity` repeat in pairs; quantities have decimals in Go. Of none: everything that is held. */
function statedHoldings(form: URLSearchParams): HoldingToAuthorise[] | undefined {
  if (!['', 'equity'].includes(form.get('type') ?? '')) throw badInput('Invalid `type`: of shares alone.')
  if (!['', 'pre'].includes(form.get('transfer_type') ?? ''))
    throw badInput('Invalid `transfer_type`: a sale is authorised before it, and nothing else is.')
  const isins = form.getAll('isin')
  const quantities = form.getAll('quantity')
  if (isins.length !== quantities.length) throw badInput('As many `isin` as `quantity` are needed.')
  if (isins.length === 0) return undefined
  const pairs = isins.map((isin, index) => ({ isin, quantity: Number(quantities[index]) }))
  const parsed = holdingsToAuthorise.safeParse(pairs)
  if (!parsed.success) throw badInput(`Invalid \`${String(parsed.error.issues[0]?.path.at(-1) ?? 'isin')}\`.`)
  return parsed.data
}
