// One request as the features see it: who asks, under which id, and the dependencies to serve it with.
import type { Context } from 'hono'
import type { Actor } from '../auth/actor.ts'
import type { AppEnv, Dependencies } from '../dependencies.ts'

export interface Call<Who = Actor> {
  deps: Dependencies
  actor: Who
  requestId: string
  /** Scheme and host under which browsers reach us. */
  origin: string
  /** Aborts when the client goes away. */
  signal: AbortSignal
  /** Lets work go on after the answer. The work must not reject. */
  defer(work: Promise<void>): void
}

export function callOf(c: Context<AppEnv>, deps: Dependencies): Call {
  return { ...openCallOf(c, deps), actor: c.var.actor }
}

/** For routes without an API key. */
export function openCallOf(c: Context<AppEnv>, deps: Dependencies): Call<undefined> {
  return {
    deps,
    actor: undefined,
    requestId: c.var.requestId,
    origin: deps.config.publicUrl ?? new URL(c.req.url).origin,
    signal: c.req.raw.signal,
    defer: (work) => c.executionCtx.waitUntil(work),
  }
}

/** The address failed authentication is counted under; Cloudflare sets the header, callers cannot. */
export function clientAddress(c: Context<AppEnv>): string {
  return c.req.header('cf-connecting-ip') ?? 'unknown'
}
