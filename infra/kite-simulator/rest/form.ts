// Form bodies as the three official clients send them; a repeated field keeps its last value.
import type { Context } from 'hono'

export async function formOf(c: Context): Promise<Record<string, string>> {
  return Object.fromEntries(new URLSearchParams(await c.req.text()))
}
