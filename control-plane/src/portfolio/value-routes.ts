// POST /v1/margins, /v1/margins/basket, /v1/charges: reads that take orders as a body.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { basketMargins, margins, orderCharges, ordersToValue } from '@ticker/shared/domain'
import { z } from 'zod'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, json, jsonBody, needs } from '../http/openapi.ts'
import { settle } from '../http/problem.ts'
import { ASKED, FAILURES } from './asked.ts'
import { valueOrders } from './value-orders.ts'

const READ_ONLY = `Nothing is placed. ${ASKED}`

const postMargins = createRoute({
  method: 'post',
  path: '/v1/margins',
  summary: 'What each of these orders would tie up, by itself',
  description: READ_ONLY,
  ...needs('portfolio:read'),
  request: { body: jsonBody(ordersToValue) },
  responses: { 200: json(margins, "The broker's figures"), ...bodyFailures(...FAILURES, 'order_invalid') },
})
const postBasket = createRoute({
  method: 'post',
  path: '/v1/margins/basket',
  summary: 'What these orders would tie up together, while they go out and once they are in',
  description: READ_ONLY,
  ...needs('portfolio:read'),
  request: {
    body: jsonBody(ordersToValue),
    query: z.object({
      consider_positions: z
        .enum(['true', 'false'])
        .default('true')
        .meta({ description: 'Whether what the account holds counts' }),
    }),
  },
  responses: {
    200: json(basketMargins, "The broker's figures"),
    ...bodyFailures(...FAILURES, 'order_invalid'),
  },
})
const postCharges = createRoute({
  method: 'post',
  path: '/v1/charges',
  summary: "Brokerage, taxes and charges of these orders: the broker's contract note before the fact",
  description: `${READ_ONLY} A MARKET order counts at the last tick that is live for you.`,
  ...needs('portfolio:read'),
  request: { body: jsonBody(ordersToValue) },
  responses: {
    200: json(orderCharges, "The broker's figures"),
    ...bodyFailures(...FAILURES, 'order_invalid', 'price_unknown'),
  },
})

export function valueRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(postMargins, async (c) => {
      const asked = valueOrders(
        callOf(c, deps),
        c.req.valid('json'),
        (orders) => ({ read: 'margins', orders }),
        margins,
      )
      return c.json(settle(await asked), 200)
    })
    .openapi(postBasket, async (c) => {
      const consider_positions = c.req.valid('query').consider_positions === 'true'
      const asked = valueOrders(
        callOf(c, deps),
        c.req.valid('json'),
        (orders) => ({ read: 'basket_margins', orders, consider_positions }),
        basketMargins,
      )
      return c.json(settle(await asked), 200)
    })
    .openapi(postCharges, async (c) => {
      const asked = valueOrders(
        callOf(c, deps),
        c.req.valid('json'),
        (orders) => ({ read: 'charges', orders }),
        orderCharges,
      )
      return c.json(settle(await asked), 200)
    })
}
