// /v1/gtts: good-till-triggered orders at the broker, single and two-leg.
import { createRoute, OpenAPIHono } from '@hono/zod-openapi'
import {
  accountId,
  expiresInS,
  gtt,
  gttWrite,
  placeGtt as placeBody,
  storedText,
} from '@ticker/shared/domain'
import { z } from 'zod'
import { answered } from '../account-writes/answered.ts'
import { writeQuery } from '../account-writes/read-write.ts'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { page } from '../http/pagination.ts'
import { settle } from '../http/problem.ts'
import { writeHeaders as headers, orderParams } from '../orders/write-headers.ts'
import { getGtt, gttQuery, listGtts } from './read.ts'
import { deleteGtt, gttWrites, modifyGtt, placeGtt } from './write.ts'

const params = z.object({ id: storedText(64, 1).meta({ description: "The broker's trigger id" }) })
const ofAccount = z.object({ account_id: accountId })
const WRITES = '/v1/gtt-writes'
const stored = {
  200: json(gttWrite, 'Its outcome is known'),
  202: json(gttWrite, 'Stored, or in doubt; follow it under its Location'),
}
const refusals = [
  'idempotency_key_missing',
  'idempotency_conflict',
  'account_not_found',
  'account_not_allowed',
  'account_disabled',
  'session_inactive',
] as const
const placing = ['order_invalid', 'order_gate_closed', 'trading_not_enabled'] as const

const place = createRoute({
  method: 'post',
  path: '/v1/gtts',
  summary: 'Place a GTT, at most once',
  description: 'The risk gate decides on its orders now, not when they trigger.',
  ...needs('orders:write'),
  request: { headers, body: jsonBody(placeBody) },
  responses: { ...stored, ...bodyFailures(...refusals, ...placing, 'gtt_limit') },
})
const list = createRoute({
  method: 'get',
  path: '/v1/gtts',
  summary: 'The broker’s GTTs, whoever placed them, as last seen',
  ...needs('orders:read'),
  request: { query: gttQuery },
  responses: {
    200: json(page(gtt, 'GttPage'), 'The latest first'),
    ...failures('account_not_allowed', 'invalid_request'),
  },
})
const get = createRoute({
  method: 'get',
  path: '/v1/gtts/{id}',
  summary: 'A GTT with the orders that it became',
  ...needs('orders:read'),
  request: { params, query: ofAccount },
  responses: { 200: json(gtt, 'As last seen'), ...failures('gtt_not_found', 'invalid_request') },
})
const modify = createRoute({
  method: 'put',
  path: '/v1/gtts/{id}',
  summary: 'Modify an active GTT, at most once',
  description: 'State all of it: the broker takes no part.',
  ...needs('orders:write'),
  request: { params, headers, body: jsonBody(placeBody) },
  responses: { ...stored, ...bodyFailures(...refusals, ...placing, 'gtt_not_found', 'gtt_not_active') },
})
const remove = createRoute({
  method: 'delete',
  path: '/v1/gtts/{id}',
  summary: 'Delete an active GTT',
  description: 'Goes out while trading is halted too.',
  ...needs('orders:write'),
  request: { params, headers, query: ofAccount },
  responses: { ...stored, ...failures('invalid_request', ...refusals, 'gtt_not_found', 'gtt_not_active') },
})
const listWrites = createRoute({
  method: 'get',
  path: WRITES,
  summary: 'Places, modifies and deletes of GTTs, newest first',
  ...needs('orders:read'),
  request: { query: writeQuery },
  responses: {
    200: json(page(gttWrite, 'GttWritePage'), 'A page'),
    ...failures('account_not_allowed', 'invalid_request'),
  },
})
const getWrite = createRoute({
  method: 'get',
  path: `${WRITES}/{id}`,
  summary: 'One place, modify or delete of a GTT',
  ...needs('orders:read'),
  request: { params: orderParams },
  responses: {
    200: json(gttWrite, 'As it stands'),
    ...failures('account_write_not_found', 'invalid_request'),
  },
})
const release = createRoute({
  method: 'post',
  path: `${WRITES}/{id}/release`,
  summary: 'Give up a GTT write in doubt',
  description:
    'Once it was sent 90 s ago and the list, read lately, does not show it. Found after all, it is adopted.',
  ...needs('orders:write'),
  request: { params: orderParams },
  responses: {
    200: json(gttWrite, 'RELEASED'),
    ...failures('account_write_not_found', 'write_not_in_doubt', 'write_may_still_appear', 'invalid_request'),
  },
})

export function gttRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(place, async (c) => {
      const { 'idempotency-key': key, prefer } = c.req.valid('header')
      const call = callOf(c, deps)
      const placed = settle(await placeGtt(call, key, c.req.valid('json')))
      const { write, status } = await answered(c, call, gttWrites, placed, { path: WRITES, prefer })
      return c.json(write, status)
    })
    .openapi(list, async (c) => c.json(settle(await listGtts(callOf(c, deps), c.req.valid('query'))), 200))
    .openapi(get, async (c) => {
      const { account_id } = c.req.valid('query')
      return c.json(settle(await getGtt(callOf(c, deps), c.req.valid('param').id, account_id)), 200)
    })
    .openapi(modify, async (c) => {
      const { 'idempotency-key': key, prefer } = c.req.valid('header')
      const call = callOf(c, deps)
      const changed = settle(await modifyGtt(call, key, c.req.valid('param').id, c.req.valid('json')))
      const { write, status } = await answered(c, call, gttWrites, changed, { path: WRITES, prefer })
      return c.json(write, status)
    })
    .openapi(remove, async (c) => {
      const { 'idempotency-key': key, prefer } = c.req.valid('header')
      const [call, { account_id }] = [callOf(c, deps), c.req.valid('query')]
      const { id } = c.req.valid('param')
      const removed = settle(await deleteGtt(call, key, id, account_id, expiresInS.parse(undefined)))
      const { write, status } = await answered(c, call, gttWrites, removed, { path: WRITES, prefer })
      return c.json(write, status)
    })
    .openapi(listWrites, async (c) =>
      c.json(settle(await gttWrites.list(callOf(c, deps), c.req.valid('query'))), 200),
    )
    .openapi(getWrite, async (c) =>
      c.json(settle(await gttWrites.get(callOf(c, deps), c.req.valid('param').id)), 200),
    )
    .openapi(release, async (c) =>
      c.json(settle(await gttWrites.release(callOf(c, deps), c.req.valid('param').id)), 200),
    )
}
