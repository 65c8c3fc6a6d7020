// Mutual funds of an unmodified Kite client, to be read: the broker takes no orders for them by API (KITE.md 5.5).
import { fundAllotments, fundHoldings, fundOrders, fundSips, fundTrades } from '@ticker/shared/domain'
import { Hono } from 'hono'
import type { Call } from '../http/call.ts'
import { settle } from '../http/problem.ts'
import { askAccount } from '../portfolio/ask-account.ts'
import type { KiteEnv } from './env.ts'
import { badInput, success } from './envelope.ts'
import { istOf } from './ist.ts'

export function fundRoutes() {
  return new Hono<KiteEnv>()
    .get('/mf/holdings', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      const answer = settle(await askAccount(call, accountId, { read: 'fund_holdings' }, fundHoldings))
      return success(answer.holdings.map(({ own: _, ...row }) => row))
    })
    .get('/mf/holdings/:isin', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      const reading = { read: 'fund_trades' as const, isin: c.req.param('isin') }
      return success(settle(await askAccount(call, accountId, reading, fundTrades)).trades)
    })
    .get('/mf/allotments', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      return success(
        settle(await askAccount(call, accountId, { read: 'fund_allotments' }, fundAllotments)).isins,
      )
    })
    .get('/mf/orders', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      return success(await ordersOf(call, accountId))
    })
    .get('/mf/orders/:order_id', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      const wanted = c.req.param('order_id')
      const order = (await ordersOf(call, accountId)).find(({ order_id }) => order_id === wanted)
      if (!order) throw badInput('Invalid `order_id`: none of the last seven days.')
      return success(order)
    })
    .get('/mf/sips', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      return success(await sipsOf(call, accountId))
    })
    .get('/mf/sips/:sip_id', async (c) => {
      const { call, accountId } = c.var.kite('portfolio:read')
      const wanted = c.req.param('sip_id')
      const sip = (await sipsOf(call, accountId)).find(({ sip_id }) => sip_id === wanted)
      if (!sip) throw badInput('Invalid `sip_id`.')
      return success(sip)
    })
    .all('/mf/*', (c) => {
      c.var.kite()
      throw badInput(
        'Mutual funds can be read here, and not ordered: the broker takes no such orders by API.',
      )
    })
}

async function ordersOf(call: Call, accountId: string) {
  const { orders } = settle(await askAccount(call, accountId, { read: 'fund_orders' }, fundOrders))
  return orders.map(({ ordered_at, exchange_date, ...order }) => ({
    ...{ ...order, order_timestamp: istOf(ordered_at), exchange_timestamp: exchange_date },
  }))
}

async function sipsOf(call: Call, accountId: string) {
  const { sips } = settle(await askAccount(call, accountId, { read: 'fund_sips' }, fundSips))
  return sips.map(({ last_instalment_at, created_at, ...sip }) => ({
    ...{ ...sip, last_instalment: istOf(last_instalment_at), created: istOf(created_at) },
  }))
}
