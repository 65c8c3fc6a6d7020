// The broker's JSON envelope: `{"status":"success","data":…}` or `{"status":"error",…}` (KITE.md 2).
import type { Context } from 'hono'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import type { Refusal } from '../refusal.ts'

export function success(c: Context, data: unknown): Response {
  return c.json({ status: 'success', data })
}

export function refuse(c: Context, { status, error_type, message }: Refusal): Response {
  return c.json({ status: 'error', message, data: null, error_type }, status satisfies ContentfulStatusCode)
}
