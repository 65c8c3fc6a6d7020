import { z } from 'zod'
import { tradingState } from './accounts.ts'

export const fleetStatus = z
  .object({
    realm: z.enum(['live', 'sim']),
    synthetic: z.boolean(),
    trading_state: tradingState,
    instruments: z.object({ count: z.int(), fetched_at: z.string().nullable() }),
    command_channel: z.object({ breaker: z.enum(['closed', 'open', 'half_open']) }),
    instances: z.array(
      z.object({
        id: z.string(),
        epoch: z.int(),
        status: z.string(),
        alive: z.boolean(),
        lease_until: z.string(),
        stream_url: z.string(),
        version: z.string(),
        egress_group: z.string(),
        accounts: z.array(z.string()),
      }),
    ),
  })
  .meta({ id: 'FleetStatus' })
export type FleetStatus = z.infer<typeof fleetStatus>
