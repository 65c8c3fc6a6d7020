// What the application is built from, and what one request carries to the code that serves it.
import type { RequestIdVariables } from 'hono/request-id'
import type { SecureHeadersVariables } from 'hono/secure-headers'
import type { Actor } from './auth/actor.ts'
import type { Clock } from './clock.ts'
import type { CommandChannel } from './command-channel/channel.ts'
import type { Config } from './config.ts'
import type { Database } from './database.ts'
import type { Log } from './log.ts'

export interface RateLimiter {
  limit(options: { key: string }): Promise<{ success: boolean }>
}

export interface Dependencies {
  config: Config
  db: Database
  commandChannel: CommandChannel
  clock: Clock
  fetch: typeof fetch
  /** Counts failed authentication per client address. */
  rateLimit: RateLimiter
  log: Log
}

export interface AppEnv {
  Variables: RequestIdVariables &
    SecureHeadersVariables & {
      actor: Actor
      /** Of a Kite client's request: the broker's route, for the log. */
      route?: string
    }
}
