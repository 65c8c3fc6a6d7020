import { z } from 'zod'
import { accountId } from './accounts.ts'
import { SCOPES } from './scopes.ts'
import { INSTRUMENTS_MAX, INSTRUMENTS_MAX_DEFAULT } from './stream-limits.ts'
import { storedText } from './text.ts'

export const scope = z.enum(SCOPES).meta({ id: 'Scope' })

/** Longer than this nothing stays in doubt without a person. */
export const REFUSE_REPEATS_S_MAX = 600

export const apiKeyCreate = z
  .strictObject({
    name: storedText(100, 1),
    scopes: z.array(scope).min(1),
    account_ids: z
      .array(accountId)
      .min(1)
      .max(1000)
      .optional()
      .meta({ description: 'Absent: every account of your owner' }),
    expires_at: z.iso.datetime().optional(),
    refuse_repeats_s: z
      .int()
      .min(1)
      .max(REFUSE_REPEATS_S_MAX)
      .optional()
      .meta({
        description:
          'Of orders through the Kite-compatible REST, which have no Idempotency-Key: one that equals an order of this key on the ' +
          'same account is refused for so many seconds, as long as that order is not settled. Absent: equal orders are meant',
      }),
  })
  .meta({ id: 'ApiKeyCreate' })
export type ApiKeyCreate = z.infer<typeof apiKeyCreate>

export const apiKey = z
  .object({
    id: z.string(),
    name: z.string(),
    owner: z.string(),
    scopes: z.array(scope),
    account_ids: z.array(accountId).nullable(),
    expires_at: z.string().nullable(),
    refuse_repeats_s: z.int().nullable(),
    revoked_at: z.string().nullable(),
    created_at: z.string(),
  })
  .meta({ id: 'ApiKey' })
export type ApiKey = z.infer<typeof apiKey>

export const apiKeyCreated = apiKey
  .extend({ secret: z.string().meta({ description: 'Shown once; only its SHA-256 is stored' }) })
  .meta({ id: 'ApiKeyCreated' })

const instrumentsMax = z
  .int()
  .min(1)
  .max(INSTRUMENTS_MAX)
  .default(INSTRUMENTS_MAX_DEFAULT)
  .meta({
    description:
      'Different instruments that all connections made with this API key may hold together on one data plane. ' +
      'What a client asks for is subscribed by itself, in the room that subscriptions and strike ladders leave',
  })

export const streamTicketCreate = z
  .strictObject({ instruments_max: instrumentsMax })
  .meta({ id: 'StreamTicketCreate' })
export type StreamTicketCreate = z.infer<typeof streamTicketCreate>

export const streamTicket = z
  .object({
    ticket: z.string().meta({
      description:
        'WebSocket subprotocol: ["ticker.v1", "ticket.<this>"]; for events Authorization: Bearer <this>',
    }),
    expires_at: z.string(),
    stream_url: z.string().meta({
      description: 'Of the WebSocket; events are at /sse below it, those of orders at /orders, over http(s)',
    }),
  })
  .meta({ id: 'StreamTicket' })

export const kiteTokenCreate = z
  .strictObject({ account_id: accountId, instruments_max: instrumentsMax })
  .meta({ id: 'KiteTokenCreate' })
export type KiteTokenCreate = z.infer<typeof kiteTokenCreate>

export const kiteToken = z
  .object({
    api_key: z.string().meta({ description: 'What Kite clients call api_key: your account id' }),
    access_token: z.string(),
    expires_at: z.string(),
    kite_socket_url: z.string().meta({ description: 'The root for KiteTicker' }),
  })
  .meta({ id: 'KiteToken' })
