// What all questions on an account have in common, as the documentation says it.

export const ASKED =
  'Asked of the broker now, in its turn: at most 6 such requests a second of an account, after everything that orders need.'

/** How such a question can fail. */
export const FAILURES = [
  'invalid_request',
  'account_not_found',
  'account_not_allowed',
  'account_disabled',
  'session_inactive',
  'broker_rate_limited',
  'broker_refused',
  'broker_unreachable',
  'data_plane_unreachable',
] as const
