// Standard Webhooks (standardwebhooks.com): an id that stays the same over attempts, the time, and HMAC-SHA256 of both with
// the body, so that receivers verify with a library and refuse what is old.
import { createHmac } from 'node:crypto'
import type { Secret } from '@ticker/shared/crypto'

const SECRET_PREFIX = 'whsec_'

export function signedHeaders(
  secret: Secret,
  id: string,
  body: string,
  nowMs: number,
): Record<string, string> {
  const timestamp = Math.floor(nowMs / 1_000)
  const key = Buffer.from(secret.reveal().slice(SECRET_PREFIX.length), 'base64')
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': `v1,${signature}`,
  }
}
