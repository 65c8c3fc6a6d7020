import type { z } from 'zod'
import type { KiteOutcome } from './envelope.ts'

/** Checks the shape of what the broker sent; another shape is unreadable, never half-used. */
export function shaped<T extends z.ZodType>(
  schema: T,
  outcome: KiteOutcome<unknown>,
): KiteOutcome<z.output<T>> {
  if (!outcome.ok) return outcome
  const parsed = schema.safeParse(outcome.data)
  return parsed.success
    ? { ok: true, data: parsed.data }
    : { ok: false, failure: { kind: 'unreadable', status: 200 } }
}
