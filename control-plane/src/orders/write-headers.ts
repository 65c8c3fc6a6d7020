// What every write that reaches the broker takes beside its body.
import { storedText } from '@ticker/shared/domain'
import { z } from 'zod'

export const orderParams = z.object({ id: storedText(64, 1) })

/** Batches and exits store their orders under keys of their own: nobody else may take one of those before. */
export const writeHeaders = z.object({
  'idempotency-key': z
    .string()
    .regex(/^(?!batch:|exit:)[\x21-\x7e]{1,255}$/, '1-255 printable characters; batch: and exit: are ours')
    .meta({ description: 'Unique per write; a repeat gets what is stored', example: 'b2f1c0de-1' }),
  prefer: z
    .string()
    .max(200)
    .optional()
    .meta({ description: 'wait=N waits up to N ≤ 15 s for the outcome', example: 'wait=5' }),
})
