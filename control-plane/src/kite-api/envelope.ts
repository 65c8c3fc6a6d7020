// The broker's envelope around every answer, and its error types (KITE-COMPATIBILITY "REST"): a problem document breaks all
// three official clients.
import { ERROR_CODES, type ErrorCode } from '@ticker/shared/domain'
import type { Refusal } from '../http/problem.ts'

export type KiteErrorType =
  | ('TokenException' | 'PermissionException' | 'OrderException' | 'InputException' | 'MarginException')
  | ('HoldingException' | 'NetworkException' | 'GeneralException')

/** Carries a failure to where the envelope is written. */
export class KiteFailure extends Error {
  readonly status: number
  readonly errorType: KiteErrorType
  constructor(status: number, errorType: KiteErrorType, message: string) {
    super(message)
    this.status = status
    this.errorType = errorType
  }
}

export const badInput = (message: string) => new KiteFailure(400, 'InputException', message)

/** The words that clients know of the broker itself. */
export const UNCERTAIN = () =>
  new KiteFailure(
    504,
    'NetworkException',
    'Order request timed out. Please check the order book before placing again.',
  )

const ORDER_REFUSED: readonly ErrorCode[] = [
  ...(['order_gate_closed', 'trading_not_enabled', 'account_disabled', 'order_finished'] as const),
  ...(['order_ambiguous', 'modification_limit', 'order_repeated'] as const),
  ...(['gtt_not_active', 'gtt_limit'] as const),
]
/** 403 TokenException means a dead credential or session to every client, and nothing else. */
const DEAD: readonly ErrorCode[] = [
  ...(['unauthenticated', 'session_inactive', 'account_not_found', 'account_not_allowed'] as const),
]

export function failureOf({ code, detail, errors }: Refusal): KiteFailure {
  const { status, title } = ERROR_CODES[code]
  const fields = errors?.map(({ path, message }) => `${path}: ${message}`).join('; ')
  const words = [title, fields ?? detail].filter(Boolean).join(' ')
  if (DEAD.includes(code)) return new KiteFailure(403, 'TokenException', words)
  if (code === 'scope_missing') return new KiteFailure(403, 'PermissionException', words)
  if (ORDER_REFUSED.includes(code)) return new KiteFailure(400, 'OrderException', words)
  if (status === 429 || status >= 502) return new KiteFailure(status, 'NetworkException', words)
  if (status >= 500) return new KiteFailure(status, 'GeneralException', words)
  return new KiteFailure(status === 413 ? 413 : 400, 'InputException', words)
}

const HEADERS = { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' }

export function success(data: unknown): Response {
  return new Response(JSON.stringify({ status: 'success', data }), { headers: HEADERS })
}

export function failure({ status, errorType, message }: KiteFailure): Response {
  const body = { status: 'error', message, error_type: errorType, data: null }
  return new Response(JSON.stringify(body), { status, headers: HEADERS })
}
