// The broker's error answers as values: HTTP status, `error_type`, text (KITE.md 2.1).

export type ErrorType =
  | 'TokenException'
  | 'UserException'
  | 'OrderException'
  | 'InputException'
  | 'NetworkException'
  | 'GeneralException'
  | 'PermissionException'
  | 'HoldingException'

export interface Refusal {
  status: 400 | 403 | 404 | 405 | 413 | 428 | 429 | 500
  error_type: ErrorType
  message: string
}

export type Outcome<T> = { ok: true; value: T } | { ok: false; refusal: Refusal }

export function refused(status: Refusal['status'], error_type: ErrorType, message: string): Refusal {
  return { status, error_type, message }
}

export function inputRefused(message: string): Refusal {
  return refused(400, 'InputException', message)
}

export const TOKEN_REFUSED = refused(403, 'TokenException', 'Incorrect `api_key` or `access_token`.')
export const TOO_MANY_REQUESTS = refused(429, 'NetworkException', 'Too many requests')
/** The words are invented: the broker documents the status alone (KITE.md 2.1). */
export const NOT_AUTHORISED = refused(
  428,
  'HoldingException',
  'The sale of these holdings is not authorised at the depository.',
)
