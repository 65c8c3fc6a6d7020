// What must never reach a log line, an error or a metric label: by field name, and by pattern in free text.

const SECRET_FIELDS = new Set([
  'access_token',
  'accesstoken',
  'api_secret',
  'apisecret',
  'secret',
  'authorization',
  'checksum',
  'cookie',
  'enctoken',
  'password',
  'public_token',
  'refresh_token',
  'request_token',
  'set-cookie',
  'ticket',
  'token',
  'totp',
  'connectionstring',
  'database_url',
  'sec-websocket-protocol',
])

const PATTERNS: [RegExp, string][] = [
  // Query parameters that carry a live key, in any URL.
  [/([?&](?:access_token|api_key|request_token|ticket|token|checksum|state)=)[^&\s"']+/gi, '$1[redacted]'],
  [/(\b(?:token|bearer|basic)\s+)[A-Za-z0-9_.:~+/=-]{8,}/gi, '$1[redacted]'],
  [/\bkey_[0-9a-f]{32}_[0-9a-f]{64}\b/g, '[redacted]'],
  [/\beyJ[A-Za-z0-9_-]+[._][A-Za-z0-9._-]+/g, '[redacted]'],
  // user:password@ of a database or Redis URL.
  [/(\b[a-z][a-z0-9+.-]*:\/\/[^:/\s@]*:)[^@/\s]+@/gi, '$1[redacted]@'],
  [/\b[0-9a-f]{64}\b/gi, '[redacted]'],
]

const DEPTH_MAX = 8

export function redactText(text: string): string {
  return PATTERNS.reduce((redacted, [pattern, replacement]) => redacted.replace(pattern, replacement), text)
}

/** A copy that is safe to print: secret fields blanked, patterns replaced, depth bounded, errors flattened. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value)
  if (typeof value !== 'object' || value === null) return typeof value === 'bigint' ? value.toString() : value
  if (depth >= DEPTH_MAX) return '[deep]'
  if (value instanceof Error) {
    return redact(
      { name: value.name, message: value.message, stack: value.stack, cause: value.cause },
      depth + 1,
    )
  }
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1))
  if ('toJSON' in value && typeof value.toJSON === 'function') return redact(value.toJSON(), depth + 1)
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [
      name,
      SECRET_FIELDS.has(name.toLowerCase()) && item !== null && item !== undefined
        ? '[redacted]'
        : redact(item, depth + 1),
    ]),
  )
}
