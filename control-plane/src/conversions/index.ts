// /v1/positions/convert and /v1/conversions: the product of a position is changed, at most once.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import { type ConvertPosition, conversion, convertPosition } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { answered } from '../account-writes/answered.ts'
import { writeQuery, writesOf } from '../account-writes/read-write.ts'
import { storeWrite } from '../account-writes/store-write.ts'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { type Call, callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { page } from '../http/pagination.ts'
import { settle } from '../http/problem.ts'
import { writeHeaders as headers, orderParams as params } from '../orders/write-headers.ts'

const CONVERSIONS = '/v1/conversions'
export const conversions = writesOf(conversion, { which: sql`w.kind = 'convert'`, fields: sql`` })

export function convert(call: Call, key: string, input: ConvertPosition) {
  const { account_id, exchange, tradingsymbol, quantity, expires_in_s } = input
  return storeWrite(call, key, {
    ...{ accountId: account_id, kind: 'convert', request: input, triggerId: null, expiresInS: expires_in_s },
    // The position says what became of one in doubt: another would blur that.
    subject: `convert:${exchange}:${tradingsymbol}`,
    // Of MCX and currencies the broker counts lots, and what is held is no less than one.
    instrument: {
      exchange,
      tradingsymbol,
      prices: [],
      quantities: LOTS.has(exchange) ? [{ path: 'quantity', value: quantity }] : [],
    },
  })
}
/** Where quantities are units of which a lot has several. */
const LOTS: ReadonlySet<string> = new Set(['NFO', 'BFO'])

const place = createRoute({
  method: 'post',
  path: '/v1/positions/convert',
  summary: 'Change the product of a position, at most once',
  ...needs('orders:write'),
  request: { headers, body: jsonBody(convertPosition) },
  responses: {
    200: json(conversion, 'Its outcome is known'),
    202: json(conversion, 'Stored, or in doubt; follow it under its Location'),
    ...bodyFailures(
      'idempotency_key_missing',
      'idempotency_conflict',
      'order_invalid',
      'order_gate_closed',
      'trading_not_enabled',
      'session_inactive',
      'account_not_found',
      'account_not_allowed',
      'account_disabled',
    ),
  },
})
const list = createRoute({
  method: 'get',
  path: CONVERSIONS,
  summary: 'Conversions of positions, newest first',
  ...needs('orders:read'),
  request: { query: writeQuery },
  responses: {
    200: json(page(conversion, 'ConversionPage'), 'A page'),
    ...failures('account_not_allowed', 'invalid_request'),
  },
})
const get = createRoute({
  method: 'get',
  path: `${CONVERSIONS}/{id}`,
  summary: 'One conversion of a position',
  ...needs('orders:read'),
  request: { params },
  responses: {
    200: json(conversion, 'As it stands'),
    ...failures('account_write_not_found', 'invalid_request'),
  },
})
const release = createRoute({
  method: 'post',
  path: `${CONVERSIONS}/{id}/release`,
  summary: 'Give up a conversion in doubt, once a person has looked at the position',
  ...needs('orders:write'),
  request: { params },
  responses: {
    200: json(conversion, 'RELEASED'),
    ...failures('account_write_not_found', 'write_not_in_doubt', 'write_may_still_appear', 'invalid_request'),
  },
})

export function conversionRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(place, async (c) => {
      const { 'idempotency-key': key, prefer } = c.req.valid('header')
      const call = callOf(c, deps)
      const stored = settle(await convert(call, key, c.req.valid('json')))
      const { write, status } = await answered(c, call, conversions, stored, { path: CONVERSIONS, prefer })
      return c.json(write, status)
    })
    .openapi(list, async (c) =>
      c.json(settle(await conversions.list(callOf(c, deps), c.req.valid('query'))), 200),
    )
    .openapi(get, async (c) =>
      c.json(settle(await conversions.get(callOf(c, deps), c.req.valid('param').id)), 200),
    )
    .openapi(release, async (c) =>
      c.json(settle(await conversions.release(callOf(c, deps), c.req.valid('param').id)), 200),
    )
}
