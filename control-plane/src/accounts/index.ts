// /v1/accounts: broker accounts and what is known of their session.
import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { account, accountCreate, accountId, accountUpdate } from '@ticker/shared/domain'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { callOf } from '../http/call.ts'
import { invalidRequest } from '../http/errors.ts'
import { bodyFailures, failures, json, jsonBody, needs } from '../http/openapi.ts'
import { page, pageQuery } from '../http/pagination.ts'
import { settle } from '../http/problem.ts'
import { createAccount } from './create.ts'
import { deleteAccount } from './delete.ts'
import { getAccount, listAccounts } from './read.ts'
import { updateAccount } from './update.ts'

const params = z.object({ id: accountId })
const ONE = ['account_not_found', 'account_not_allowed', 'invalid_request'] as const

const create = createRoute({
  method: 'post',
  path: '/v1/accounts',
  summary: 'Add a broker account',
  ...needs('accounts:write'),
  request: { body: jsonBody(accountCreate) },
  responses: {
    201: json(account, 'Stored; log it in next'),
    ...bodyFailures('account_exists', 'account_not_allowed'),
  },
})
const list = createRoute({
  method: 'get',
  path: '/v1/accounts',
  summary: 'Accounts that this key may see',
  ...needs('accounts:read'),
  request: { query: pageQuery },
  responses: { 200: json(page(account, 'AccountPage'), 'By id'), ...failures('invalid_request') },
})
const get = createRoute({
  method: 'get',
  path: '/v1/accounts/{id}',
  summary: 'One account with its session',
  ...needs('accounts:read'),
  request: { params },
  responses: { 200: json(account, 'The account'), ...failures(...ONE) },
})
const update = createRoute({
  method: 'patch',
  path: '/v1/accounts/{id}',
  summary: 'Rename, change limits or its app, disable or enable',
  ...needs('accounts:write'),
  request: { params, body: jsonBody(accountUpdate) },
  responses: {
    200: json(account, 'As it is now'),
    ...bodyFailures(...ONE, 'account_exists', 'session_active'),
  },
})
const remove = createRoute({
  method: 'delete',
  path: '/v1/accounts/{id}',
  summary: 'Erase its secrets and take it away, once nothing uses it',
  description:
    'It must be disabled, logged out, without open orders and without pins; else `account_in_use` says what to do first. ' +
    'What was ordered with it stays readable, and keeps its id taken.',
  ...needs('accounts:write'),
  request: { params },
  responses: { 204: { description: 'Deleted' }, ...failures(...ONE, 'account_in_use') },
})

export function accountRoutes(deps: Dependencies) {
  return new OpenAPIHono<AppEnv>({ defaultHook: invalidRequest })
    .openapi(create, async (c) => {
      const created = settle(await createAccount(callOf(c, deps), c.req.valid('json')))
      return c.json(created, 201, { Location: `/v1/accounts/${created.id}` })
    })
    .openapi(list, async (c) => c.json(await listAccounts(callOf(c, deps), c.req.valid('query')), 200))
    .openapi(get, async (c) =>
      c.json(settle(await getAccount(callOf(c, deps), c.req.valid('param').id)), 200),
    )
    .openapi(update, async (c) =>
      c.json(settle(await updateAccount(callOf(c, deps), c.req.valid('param').id, c.req.valid('json'))), 200),
    )
    .openapi(remove, async (c) => {
      settle(await deleteAccount(callOf(c, deps), c.req.valid('param').id))
      return c.body(null, 204)
    })
}
