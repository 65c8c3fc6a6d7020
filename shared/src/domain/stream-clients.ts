// Who is connected to the streams right now.
import { z } from 'zod'

/** Of one instance; more are only counted. */
export const STREAM_CLIENTS_SHOWN_MAX = 1_000

export const connectedClient = z.object({
  key_id: z.string(),
  protocol: z.enum(['json', 'binary', 'sse', 'sse_orders', 'kite']).meta({
    description:
      '`json`, `binary`, `sse`, `sse_orders`: of /v1/stream. `kite`: of the Kite-compatible socket',
  }),
  account_id: z
    .string()
    .nullable()
    .meta({ description: 'Of a Kite token; null: every account of the owner' }),
  instruments: z.int().meta({ description: 'That it holds' }),
  connected_at: z.string(),
  buffered_bytes: z.int().meta({ description: 'That it has not read yet' }),
})
export type ConnectedClient = z.infer<typeof connectedClient>

/** What one instance answers: the newest first. */
export const connectedClients = z.object({ clients: z.array(connectedClient), left_out: z.int() })
export type ConnectedClients = z.infer<typeof connectedClients>

export const streamClients = z
  .object({
    clients: z.array(
      connectedClient.extend({ instance_id: z.string(), key_name: z.string() }).meta({ id: 'StreamClient' }),
    ),
    left_out: z.int().meta({
      description: `Clients that are not shown: beyond ${STREAM_CLIENTS_SHOWN_MAX} of an instance, or of keys that may do more than yours`,
    }),
    unanswered: z.array(z.string()).meta({ description: 'Instances that did not answer in time' }),
    synthetic: z.boolean(),
  })
  .meta({ id: 'StreamClients' })
export type StreamClients = z.infer<typeof streamClients>
