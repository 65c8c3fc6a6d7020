// Building blocks of a route's declaration: what it takes, what it gives, whom it lets in and how it can fail.
import { ERROR_CODES, type ErrorCode, type Scope } from '@ticker/shared/domain'
import type { z } from 'zod'
import { requireScope } from '../auth/scope.ts'
import { PROBLEM_JSON, problem, problemOf } from './problem.ts'

export const SECURITY_SCHEME = 'api_key'

/** The only way to declare who may call a route under /v1. */
export function needs(scope: Scope) {
  return { security: [{ [SECURITY_SCHEME]: [scope] }], middleware: requireScope(scope) }
}

/** A route that lets in callers without an API key, and says so. */
export const OPEN = { security: [] }

export function json<Shape extends z.ZodType>(schema: Shape, description: string) {
  return { description, content: { 'application/json': { schema } } }
}

export function jsonBody<Shape extends z.ZodType>(schema: Shape) {
  return { required: true, content: { 'application/json': { schema } } }
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
