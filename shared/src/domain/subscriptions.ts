import { z } from 'zod'
import { accountId } from './accounts.ts'
import { exchange, instrumentRef, instrumentToken } from './instruments.ts'

export const mode = z.enum(['ltp', 'quote', 'full']).meta({ id: 'Mode' })

/** Who wants it: one instrument may be wanted by several sources, each removed on its own. */
export const subscriptionSource = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_.:-]{0,63}$/, 'a source is 1-64 of a-z, 0-9, _ . : -')
  .default('api')

export const SUBSCRIPTIONS_MAX = 10_000

export const subscriptionPut = z
  .strictObject({
    instruments: z.array(instrumentRef).min(1).max(SUBSCRIPTIONS_MAX),
    mode: mode.default('full'),
    source: subscriptionSource,
    account_id: accountId
      .optional()
      .meta({ description: 'Pin to this account; unpinned instruments are spread by the data plane' }),
  })
  .meta({ id: 'SubscriptionPut' })

export const subscriptionDelete = z
  .strictObject({
    instruments: z.array(instrumentRef).min(1).max(SUBSCRIPTIONS_MAX),
    source: subscriptionSource,
  })
  .meta({ id: 'SubscriptionDelete' })

export const subscriptionPutResult = z
  .object({
    upserted: z.int().meta({ description: 'New or changed' }),
    unchanged: z.int(),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'SubscriptionPutResult' })

export const subscriptionDeleteResult = z
  .object({ deleted: z.int() })
  .meta({ id: 'SubscriptionDeleteResult' })

export const subscription = z
  .object({
    exchange,
    tradingsymbol: z.string(),
    instrument_token: instrumentToken
      .nullable()
      .meta({ description: 'null when the contract is no longer in the dump' }),
    contract: z.enum(['listed', 'expired', 'gone']).meta({
      description:
        'Why nothing can flow: it has expired, or the dump lists it no more (GET /v1/instrument-changes says what became of it)',
    }),
    mode,
    source: z.string(),
    account_id: accountId.nullable(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Subscription' })
export type Subscription = z.infer<typeof subscription>
