// RFC 9457 problems from the closed union of error codes. A refusal is a value until the route hands it to the
// framework; what a caller sees is the code, its public words and what we add, never an upstream text or a stack.
import { ERROR_CODES, type ErrorCode } from '@ticker/shared/domain'
import { z } from 'zod'

export interface FieldError {
  path: string
  message: string
}

export interface Refusal {
  code: ErrorCode
  detail?: string
  errors?: FieldError[]
  retryAfterS?: number
}

export type Outcome<T> = { ok: true; value: T } | { ok: false; refusal: Refusal }

export const done = <T>(value: T): Outcome<T> => ({ ok: true, value })
export const refused = (code: ErrorCode, more: Omit<Refusal, 'code'> = {}): Outcome<never> => ({
  ok: false,
  refusal: { code, ...more },
})

/** Carries a refusal to the error handler; thrown by routes and middleware only. */
export class Refused extends Error {
  readonly refusal: Refusal
  constructor(refusal: Refusal) {
    super(refusal.code)
    this.refusal = refusal
  }
}

/** The value of an outcome, or the refusal on its way to the caller. */
export function settle<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.value
  throw new Refused(outcome.refusal)
}

export const problem = z
  .object({
    type: z.string().meta({ example: 'urn:ticker:error:order_invalid' }),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.string().meta({ description: 'The contract: one of the documented codes' }),
    request_id: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' })
export type Problem = z.infer<typeof problem>

export const PROBLEM_JSON = 'application/problem+json'

export function problemOf(refusal: Refusal, requestId: string): Problem {
  const { status, title } = ERROR_CODES[refusal.code]
  return {
    type: `urn:ticker:error:${refusal.code}`,
    title,
    status,
    ...(refusal.detail === undefined ? {} : { detail: refusal.detail }),
    code: refusal.code,
    request_id: requestId,
    ...(refusal.errors ? { errors: refusal.errors } : {}),
  }
}

export function problemResponse(refusal: Refusal, requestId: string): Response {
  const body = problemOf(refusal, requestId)
  const headers = new Headers({ 'Content-Type': PROBLEM_JSON, 'Cache-Control': 'no-store' })
  if (refusal.retryAfterS !== undefined) headers.set('Retry-After', String(refusal.retryAfterS))
  if (refusal.code === 'unauthenticated') headers.set('WWW-Authenticate', 'Bearer')
  return new Response(JSON.stringify(body), { status: body.status, headers })
}
