// /v1/holdings/authorise and /v1/holdings/auctions: what the depository has to do with a sale.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { accountId, auctions, authoriseHoldings as body, holdingsAuthorisation } from '@ticker/shared/domain'
import { z } from 'zod'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { settle } from '../http/problem.ts'
import { askAccount } from './ask-account.ts'
import { ASKED, FAILURES } from './asked.ts'
import { authoriseHoldings } from './authorise.ts'

const post = createRoute({
  method: 'post',
  path: '/v1/holdings/authorise',
  summary: 'A link on which the account holder authorises the sale of holdings at the broker',
  description:
    'For an order that is NEEDS_AUTHORISATION, or before one. Nothing is authorised by this: the account holder opens `url` ' +
    `in a browser. What is given there holds for one trading day, until 17:30 IST. ${ASKED}`,
  ...needs('orders:write'),
  request: { body: jsonBody(body) },
  responses: {
    200: json(holdingsAuthorisation, 'The request and its page'),
    ...bodyFailures(...FAILURES, 'paper_not_configured'),
  },
})
const getAuctions = createRoute({
  method: 'get',
  path: '/v1/holdings/auctions',
  summary: 'Auctions of what an account holds',
  description: `An order of variety \`auction\` names the \`auction_number\`. ${ASKED}`,
  ...needs('portfolio:read'),
  request: { query: z.object({ account_id: accountId }) },
  responses: { 200: json(auctions, 'As the broker has them'), ...failures(...FAILURES) },
})

export function depositoryRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(post, async (c) => {
      const { account_id, holdings } = c.req.valid('json')
      return c.json(settle(await authoriseHoldings(callOf(c, deps), account_id, holdings)), 200)
    })
    .openapi(getAuctions, async (c) => {
      const { account_id } = c.req.valid('query')
      return c.json(
        settle(await askAccount(callOf(c, deps), account_id, { read: 'auctions' }, auctions)),
        200,
      )
    })
}
