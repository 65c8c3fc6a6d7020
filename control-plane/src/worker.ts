// The Worker's entry: builds the application once per isolate from its bindings, and answers what fails before that.
import type { RateLimit, ScheduledController } from '@cloudflare/workers-types'
import { newId } from '@ticker/shared/domain'
import type { ExecutionContext } from 'hono'
import { type App, createApp } from './app.ts'
import { systemClock } from './clock.ts'
import { commandChannel } from './command-channel/channel.ts'
import { upstashRedis } from './command-channel/upstash.ts'
import { ConfigError, readConfig } from './config.ts'
import { openDatabase } from './database.ts'
import type { Dependencies } from './dependencies.ts'
import { problemResponse } from './http/problem.ts'
import { type Log, lineLog } from './log.ts'
import { prune } from './operations/prune.ts'

export interface WorkerEnv {
  AUTH_FAILURES: RateLimit
}

const log: Log = lineLog((line) => console.log(line), systemClock.nowMs)

/** The one piece of module state: what is built from an env, for as long as the isolate lives. */
const built = new WeakMap<WorkerEnv, { deps: Dependencies; app: App }>()

function build(env: WorkerEnv): { deps: Dependencies; app: App } {
  const known = built.get(env)
  if (known) return known
  const config = readConfig(env)
  const fetcher: typeof fetch = (input, init) => fetch(input, init)
  const clock = systemClock
  const deps: Dependencies = {
    config,
    db: openDatabase(config, fetcher),
    commandChannel: commandChannel({ redis: upstashRedis(config), realm: config.realm, clock, log }),
    clock,
    fetch: fetcher,
    rateLimit: env.AUTH_FAILURES,
    log,
  }
  const fresh = { deps, app: createApp(deps) }
  built.set(env, fresh)
  return fresh
}

export default {
  fetch(request: Request, env: WorkerEnv, context: ExecutionContext): Response | Promise<Response> {
    try {
      return build(env).app.fetch(request, env, context)
    } catch (error) {
      // Before there is an application there is only this: the operator finds the reason in the log.
      const requestId = newId('req')
      const event = error instanceof ConfigError ? 'configuration_invalid' : 'start_failed'
      log('error', event, { request_id: requestId, error })
      return problemResponse({ code: 'internal' }, requestId)
    }
  },
  async scheduled(_controller: ScheduledController, env: WorkerEnv): Promise<void> {
    await prune(build(env).deps)
  },
}
