// Building blocks of a route's declaration: what it takes, what it gives, whom it lets in and how it can fail.
import { ERROR_CODES, type ErrorCode, type Scope } from '@ticker/shared/domain'
import type { MiddlewareHandler } from 'hono'
import type { z } from 'zod'
import { requireScope } from '../auth/scope.ts'
import type { AppEnv } from '../dependencies.ts'
import { PROBLEM_JSON, problem, problemOf, Refused } from './problem.ts'

export const SECURITY_SCHEME = 'api_key'

/** The only way to declare who may call a route under /v1. */
export function needs(scope: Scope) {
  return { security: [{ [SECURITY_SCHEME]: [scope] }], middleware: requireScope(scope) }
}

/** A route for whoever has a key, whatever its scopes. */
export const ANY_KEY = { security: [{ [SECURITY_SCHEME]: [] }] }

/** A route that lets in callers without an API key, and says so. */
export const OPEN = { security: [] }

export function json<Shape extends z.ZodType>(schema: Shape, description: string) {
  return { description, content: { 'application/json': { schema } } }
}

export function jsonBody<Shape extends z.ZodType>(schema: Shape) {
  return { required: true, content: { 'application/json': { schema } } }
}

/** With `bodyOptional` among the middleware of its route. */
export function optionalJsonBody<Shape extends z.ZodType>(schema: Shape) {
  return { ...jsonBody(schema), required: false }
}

const JSON_TYPE = 'application/json'

/**
 * A route whose JSON body may be left out, also by a caller that states its type all the same. A body of another type
 * is refused: passed over in silence, what it asks for would be missing.
 */
export const bodyOptional: MiddlewareHandler<AppEnv> = async (c, next) => {
  const { raw } = c.req
  if ((await raw.clone().text()) === '') {
    const headers = new Headers(raw.headers)
    headers.set('Content-Type', JSON_TYPE)
    headers.delete('Content-Length')
    c.req.raw = new Request(raw.url, { method: raw.method, headers, body: '{}', signal: raw.signal })
  } else if (!c.req.header('content-type')?.toLowerCase().startsWith(JSON_TYPE)) {
    throw new Refused({ code: 'unsupported_media_type' })
  }
  await next()
}

const EVERY_ROUTE: readonly ErrorCode[] = ['internal', 'database_unavailable']
const EVERY_KEYED_ROUTE: readonly ErrorCode[] = [
  'unauthenticated',
  'scope_missing',
  'rate_limited',
  ...EVERY_ROUTE,
]
const EVERY_BODY: readonly ErrorCode[] = [
  'malformed_json',
  'invalid_request',
  'body_too_large',
  'unsupported_media_type',
]

/** The problems of a keyed route, grouped by HTTP status. Typed as nothing: handlers answer successes only. */
export function failures(...codes: ErrorCode[]): Record<never, never> {
  return grouped([...EVERY_KEYED_ROUTE, ...codes])
}

export function openFailures(...codes: ErrorCode[]): Record<never, never> {
  return grouped([...EVERY_ROUTE, ...codes])
}

/** The same for a route that takes a JSON body. */
export function bodyFailures(...codes: ErrorCode[]): Record<never, never> {
  return failures(...EVERY_BODY, ...codes)
}

function grouped(codes: readonly ErrorCode[]): Record<string, unknown> {
  const byStatus = Map.groupBy(new Set(codes), (code) => ERROR_CODES[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((code) => `\`${code}\`: ${ERROR_CODES[code].title}`).join('\n\n'),
        content: {
          [PROBLEM_JSON]: {
            schema: problem,
            examples: Object.fromEntries(
              group.map((code) => [code, { value: problemOf({ code }, 'req_0193b1f0c0de7a55') }]),
            ),
          },
        },
      },
    ]),
  )
}
