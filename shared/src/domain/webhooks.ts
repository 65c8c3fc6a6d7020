// Webhooks: a desk's own systems are told of orders, sessions and risk. Signed as the Standard Webhooks specification says
// (standardwebhooks.com), so that its libraries verify them.
import { z } from 'zod'
import { accountId } from './accounts.ts'
import { storedText } from './text.ts'

export const WEBHOOK_EVENTS = ['orders', 'sessions', 'risk'] as const
/** Of an owner. */
export const WEBHOOKS_MAX = 20
/** Of one webhook; more wait where they are recorded, and come when there is room. */
export const WEBHOOK_PENDING_MAX = 10_000
/** A delivery is tried for so long, then it is dead. */
export const WEBHOOK_TRIED_HOURS = 24
/** Deliveries are shown, and may be sent again, for so long. */
export const WEBHOOK_KEPT_DAYS = 30
/** Attempts that fail in a row until the endpoint is given a rest. */
export const WEBHOOK_FAILURES_TO_REST = 5

export const webhookEvents = z.enum(WEBHOOK_EVENTS)

export const webhookCreate = z
  .strictObject({
    url: storedText(2_000, 1).meta({
      description:
        'https; its host may not lead to a private, loopback, link-local or otherwise special address. In realm sim http too',
      example: 'https://desk.example.com/ticker',
    }),
    events: z.array(webhookEvents).min(1).meta({
      description:
        '`orders`: whatever is recorded of orders. `sessions`: logged in, ended, about to end, needed. `risk`: the order gate of an account',
    }),
    account_ids: z.array(accountId).min(1).max(1000).optional().meta({
      description: 'Absent: every account that your key may use',
    }),
  })
  .meta({ id: 'WebhookCreate' })
export type WebhookCreate = z.infer<typeof webhookCreate>

export const webhook = z
  .object({
    id: z.string(),
    url: z.string(),
    events: z.array(webhookEvents),
    account_ids: z.array(accountId).nullable(),
    pending: z.int().meta({ description: 'Deliveries that are still tried' }),
    failures: z.int().meta({ description: 'Attempts that failed since one succeeded' }),
    rests_until: z
      .string()
      .nullable()
      .meta({ description: `After ${WEBHOOK_FAILURES_TO_REST} failures in a row nothing is sent before` }),
    created_by: z.string().meta({ description: 'API key; the webhook goes on when that is revoked' }),
    created_at: z.string(),
  })
  .meta({ id: 'Webhook' })
export type Webhook = z.infer<typeof webhook>

export const webhookCreated = webhook
  .extend({ secret: z.string().meta({ description: '`whsec_…`: verifies the signatures. Shown once' }) })
  .meta({ id: 'WebhookCreated' })
export type WebhookCreated = z.infer<typeof webhookCreated>

export const webhookDelivery = z
  .object({
    id: z.string(),
    event_type: z.string(),
    state: z.enum(['pending', 'delivered', 'dead']),
    attempts: z.int(),
    status: z
      .int()
      .nullable()
      .meta({ description: 'HTTP status of the last attempt; null: there was no answer' }),
    error: z.string().nullable().meta({ description: 'Why the last attempt failed' }),
    body: z.string().meta({ description: 'What is sent, the same each time' }),
    created_at: z.string(),
    next_attempt_at: z.string().nullable(),
    delivered_at: z.string().nullable(),
  })
  .meta({ id: 'WebhookDelivery' })
export type WebhookDelivery = z.infer<typeof webhookDelivery>
