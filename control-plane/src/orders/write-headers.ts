// What every write that reaches the broker takes beside its body.
import { storedText } from '@ticker/shared/domain'
import { z } from 'zod'

export const orderParams = z.object({ id: storedText(64, 1) })

export const writeHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/)
    .meta({ description: 'Unique per write; a repeat gets what is stored', example: 'b2f1c0de-1' }),
  prefer: z
    .string()
    .max(200)
    .optional()
    .meta({ description: 'wait=N waits up to N ≤ 15 s for the outcome', example: 'wait=5' }),
})
