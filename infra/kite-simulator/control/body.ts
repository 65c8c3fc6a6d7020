// A JSON body by its schema, or the answer that says what is wrong with it.
import { z } from 'zod'
import { inputRefused } from '../refusal.ts'
import type { RestContext } from '../rest/env.ts'
import { refuse } from '../rest/envelope.ts'

export async function parsed<S extends z.ZodType>(
  c: RestContext,
  schema: S,
): Promise<{ ok: true; value: z.output<S> } | { ok: false; response: Response }> {
  let json: unknown
  try {
    json = await c.req.json()
  } catch {
    return { ok: false, response: refuse(c, inputRefused('the body is not JSON')) }
  }
  const result = schema.safeParse(json)
  if (result.success) return { ok: true, value: result.data }
  return { ok: false, response: refuse(c, inputRefused(z.prettifyError(result.error))) }
}
