// The broker's REST envelope, read with its exact outcome: HTTP status, error_type and text are never blurred,
// and HTML with status 200 is not a success (KITE.md 2.1, 10).

import { storable } from './storable.ts'

export type KiteFailure =
  /** The broker answered in its own envelope. */
  | { kind: 'refused'; status: number; error_type: string; message: string }
  /** Something answered, but not in the broker's envelope. */
  | { kind: 'unreadable'; status: number }
  | { kind: 'timeout' }
  | { kind: 'network'; message: string }

export type KiteOutcome<T> = { ok: true; data: T } | { ok: false; failure: KiteFailure }

/** Reads a whole response body of any status. */
export function readEnvelope(status: number, body: string): KiteOutcome<unknown> {
  const parsed = parseObject(body)
  if (!parsed) return { ok: false, failure: { kind: 'unreadable', status } }
  if (parsed.status === 'success' && status >= 200 && status < 300 && 'data' in parsed) {
    return { ok: true, data: parsed.data }
  }
  if (parsed.status === 'error' || typeof parsed.error_type === 'string') {
    return {
      ok: false,
      failure: {
        kind: 'refused',
        status,
        error_type: typeof parsed.error_type === 'string' ? parsed.error_type : 'GeneralException',
        message: typeof parsed.message === 'string' ? parsed.message : '',
      },
    }
  }
  return { ok: false, failure: { kind: 'unreadable', status } }
}

function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const value = storable(JSON.parse(body))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : undefined
  } catch {
    return undefined
  }
}

/** For people: what happened, without anything secret. */
export function describeFailure(failure: KiteFailure): string {
  switch (failure.kind) {
    case 'refused':
      return `${failure.error_type}: ${failure.message}`
    case 'unreadable':
      return `the broker answered ${failure.status} in a form that is not its own`
    case 'timeout':
      return 'the broker did not answer in time'
    case 'network':
      return `the broker could not be reached: ${failure.message}`
  }
}

/** The broker's limit was met, however its answer was spelled. */
export function isTooManyRequests(failure: KiteFailure): boolean {
  return 'status' in failure && failure.status === 429
}

/** The session was ended or has expired; only this error_type says so (a scope problem is PermissionException). */
export function isDeadSession(failure: KiteFailure): boolean {
  return failure.kind === 'refused' && failure.error_type === 'TokenException'
}
