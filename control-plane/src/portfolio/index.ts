// /v1/positions, /v1/holdings, /v1/funds, /v1/pnl, /v1/trades: what the broker knows of an account, asked of it through its owner.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { accountId, funds, holdings, pnl, positions, storedText, trades } from '@ticker/shared/domain'
import { z } from 'zod'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { failures, json, needs } from '../http/openapi.ts'
import { settle } from '../http/problem.ts'
import { askAccount } from './ask-account.ts'
import { ASKED, FAILURES } from './asked.ts'
import { depositoryRoutes } from './depository-routes.ts'
import { fundRoutes } from './fund-routes.ts'
import { listTrades } from './trades.ts'
import { valueRoutes } from './value-routes.ts'

const ofAccount = z.object({ account_id: accountId })
const getPositions = createRoute({
  method: 'get',
  path: '/v1/positions',
  summary: 'Positions of an account, net and of the day',
  description: ASKED,
  ...needs('portfolio:read'),
  request: { query: ofAccount },
  responses: {
    200: json(positions, 'As the broker has them, with our own profit and loss'),
    ...failures(...FAILURES),
  },
})
const getHoldings = createRoute({
  method: 'get',
  path: '/v1/holdings',
  summary: 'Shares of an account in the depository',
  description: ASKED,
  ...needs('portfolio:read'),
  request: { query: ofAccount },
  responses: {
    200: json(holdings, 'As the broker has them, with our own profit and loss'),
    ...failures(...FAILURES),
  },
})
const getFunds = createRoute({
  method: 'get',
  path: '/v1/funds',
  summary: 'Money and margins of an account',
  description: `${ASKED} Every sum is the broker’s.`,
  ...needs('portfolio:read'),
  request: { query: ofAccount },
  responses: { 200: json(funds, 'By segment; null where the account has none'), ...failures(...FAILURES) },
})
const getPnl = createRoute({
  method: 'get',
  path: '/v1/pnl',
  summary: 'Profit and loss of an account by our own record: by position and by strategy',
  description: `${ASKED} From our own fills of today and what the broker says was carried over, at the average of all that was bought and of all that was sold; beside it the broker’s own figures.`,
  ...needs('portfolio:read'),
  request: { query: ofAccount },
  responses: { 200: json(pnl, 'In rupees, before charges'), ...failures(...FAILURES) },
})
const getTrades = createRoute({
  method: 'get',
  path: '/v1/trades',
  summary: "Today's trades of an account, or of one order",
  description: ASKED,
  ...needs('portfolio:read'),
  request: {
    query: ofAccount.extend({
      order_id: storedText(100, 1).optional().meta({ description: 'Our ord_…, or the broker’s own id' }),
    }),
  },
  responses: {
    200: json(trades, 'As the broker has them; ours with our order and the caller’s tag'),
    ...failures(...FAILURES, 'order_not_found'),
  },
})

export function portfolioRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .route('/', valueRoutes(deps))
    .route('/', fundRoutes(deps))
    .route('/', depositoryRoutes(deps))
    .openapi(getPositions, async (c) => {
      const { account_id } = c.req.valid('query')
      return c.json(
        settle(await askAccount(callOf(c, deps), account_id, { read: 'positions' }, positions)),
        200,
      )
    })
    .openapi(getHoldings, async (c) => {
      const { account_id } = c.req.valid('query')
      return c.json(
        settle(await askAccount(callOf(c, deps), account_id, { read: 'holdings' }, holdings)),
        200,
      )
    })
    .openapi(getFunds, async (c) => {
      const { account_id } = c.req.valid('query')
      return c.json(settle(await askAccount(callOf(c, deps), account_id, { read: 'funds' }, funds)), 200)
    })
    .openapi(getPnl, async (c) => {
      const { account_id } = c.req.valid('query')
      return c.json(settle(await askAccount(callOf(c, deps), account_id, { read: 'pnl' }, pnl)), 200)
    })
    .openapi(getTrades, async (c) => {
      const { account_id, order_id } = c.req.valid('query')
      return c.json(settle(await listTrades(callOf(c, deps), account_id, order_id)), 200)
    })
}
