// Where everything thrown ends: known refusals become their problem, the rest becomes `internal` and a log line.
import type { Context, ErrorHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ZodError } from 'zod'
import { DatabaseError, DatabaseUnavailable } from '../database.ts'
import type { AppEnv, Dependencies } from '../dependencies.ts'
import { type FieldError, problemResponse, type Refusal, Refused } from './problem.ts'

const DATABASE_RETRY_AFTER_S = 2
const FIELD_ERRORS_MAX = 50
/** SQLSTATE class of values that do not fit: out of range, a character that text cannot hold. */
const DATA_EXCEPTION = '22'

export function errorHandler(deps: Pick<Dependencies, 'log'>): ErrorHandler<AppEnv> {
  return (error, c) => {
    const requestId = c.var.requestId
    const refusal = refusalOf(error)
    if (refusal) {
      if (error instanceof DatabaseUnavailable || error instanceof DatabaseError)
        deps.log('error', refusal.code, { request_id: requestId, reason: error.message })
      return problemResponse(refusal, requestId)
    }
    deps.log('error', 'unexpected_error', { request_id: requestId, error })
    return problemResponse({ code: 'internal' }, requestId)
  }
}

export function refusalOf(error: unknown): Refusal | undefined {
  if (error instanceof Refused) return error.refusal
  if (error instanceof DatabaseUnavailable) {
    return { code: 'database_unavailable', retryAfterS: DATABASE_RETRY_AFTER_S }
  }
  // A value that the schemas let through and the database cannot take: the caller's, not ours.
  if (error instanceof DatabaseError && error.sqlState.startsWith(DATA_EXCEPTION)) {
    return { code: 'invalid_request', detail: 'A value cannot be stored or is out of range.' }
  }
  if (error instanceof HTTPException) {
    if (error.status === 400) return { code: 'malformed_json' }
    if (error.status === 413) return { code: 'body_too_large' }
    if (error.status === 415) return { code: 'unsupported_media_type' }
  }
  return undefined
}

type Validation = { target: string } & ({ success: true } | { success: false; error: ZodError })

/** Called by the validator of every route. */
export function invalidRequest(result: Validation, _c: Context<AppEnv>): void {
  if (result.success) return
  const { target, error } = result
  if (target === 'header' && error.issues.some(({ path }) => path[0] === 'idempotency-key')) {
    throw new Refused({ code: 'idempotency_key_missing' })
  }
  throw new Refused({ code: 'invalid_request', errors: fieldErrors(error, target) })
}

function fieldErrors(error: ZodError, target: string): FieldError[] {
  return error.issues.slice(0, FIELD_ERRORS_MAX).map((issue) => ({
    path: issue.path.length > 0 ? issue.path.join('.') : target,
    message: issue.code === 'unrecognized_keys' ? `unknown: ${issue.keys.join(', ')}` : issue.message,
  }))
}
