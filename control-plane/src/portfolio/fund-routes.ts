// /v1/mutual-funds: holdings, orders and SIPs, to be read.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { accountId, fundHoldings, fundOrders, fundSips } from '@ticker/shared/domain'
import { z } from 'zod'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { failures, json, needs } from '../http/openapi.ts'
import { settle } from '../http/problem.ts'
import { askAccount } from './ask-account.ts'
import { ASKED, FAILURES } from './asked.ts'

const ofAccount = z.object({ account_id: accountId })

const getHoldings = createRoute({
  method: 'get',
  path: '/v1/mutual-funds/holdings',
  summary: 'Mutual funds that an account holds',
  description: ASKED,
  ...needs('portfolio:read'),
  request: { query: ofAccount },
  responses: { 200: json(fundHoldings, 'As the broker has them'), ...failures(...FAILURES) },
})
const getOrders = createRoute({
  method: 'get',
  path: '/v1/mutual-funds/orders',
  summary: 'Orders of mutual funds, of the last seven days',
  description: ASKED,
  ...needs('portfolio:read'),
  request: { query: ofAccount },
  responses: { 200: json(fundOrders, 'As the broker has them'), ...failures(...FAILURES) },
})
const getSips = createRoute({
  method: 'get',
  path: '/v1/mutual-funds/sips',
  summary: 'Systematic investment plans of an account',
  description: ASKED,
  ...needs('portfolio:read'),
  request: { query: ofAccount },
  responses: { 200: json(fundSips, 'As the broker has them'), ...failures(...FAILURES) },
})

export function fundRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(getHoldings, async (c) => {
      const { account_id } = c.req.valid('query')
      const asked = askAccount(callOf(c, deps), account_id, { read: 'fund_holdings' }, fundHoldings)
      return c.json(settle(await asked), 200)
    })
    .openapi(getOrders, async (c) => {
      const { account_id } = c.req.valid('query')
      const asked = askAccount(callOf(c, deps), account_id, { read: 'fund_orders' }, fundOrders)
      return c.json(settle(await asked), 200)
    })
    .openapi(getSips, async (c) => {
      const { account_id } = c.req.valid('query')
      const asked = askAccount(callOf(c, deps), account_id, { read: 'fund_sips' }, fundSips)
      return c.json(settle(await asked), 200)
    })
}
