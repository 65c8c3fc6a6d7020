// The whole application in Node, against a fresh Postgres through the Neon bridge and a real Redis through the
// Upstash bridge: the same drivers, queries and protocols as in workerd.
import { randomBytes } from 'node:crypto'
import { startNeonBridge } from '@ticker/infra/local/neon-bridge'
import { startUpstashBridge } from '@ticker/infra/local/upstash-bridge'
import { freshDatabase } from '@ticker/infra/testing'
import { answerKey, commandStreamKey, parseCommand, type Question } from '@ticker/shared/commands'
import { SCOPES, type Scope } from '@ticker/shared/domain'
import type { ExecutionContext } from 'hono'
import { inject, vi } from 'vitest'
import { z } from 'zod'
import { createApp } from '../app.ts'
import { systemClock } from '../clock.ts'
import { commandChannel } from '../command-channel/channel.ts'
import { upstashRedis } from '../command-channel/upstash.ts'
import { type Config, readConfig } from '../config.ts'
import { openDatabase } from '../database.ts'
import type { Dependencies } from '../dependencies.ts'
import { lineLog } from '../log.ts'
import { seeds } from './seeds.ts'

const ORIGIN = 'http://ticker.test'
const REDIS_TOKEN = 'test-redis-token'
/** Of XRANGE: ids with their fields and values. */
const entries = z.object({ result: z.array(z.tuple([z.string(), z.array(z.string())])) })

export type Harness = Awaited<ReturnType<typeof startHarness>>

export interface Answer {
  status: number
  headers: Headers
  // biome-ignore lint/suspicious/noExplicitAny: what a test expects of a body is the test's to say
  body: any
}

export interface CallOptions {
  /** Another key than the harness's own; null: none. */
  as?: string | null
  headers?: Record<string, string>
  signal?: AbortSignal
}

export function testKey(): string {
  return `k1:${randomBytes(32).toString('base64')}`
}

export interface HarnessOptions {
  kiteApiRoot?: string
  /** Of a paper broker; there is none by default. */
  paperApiRoot?: string
  /** Another Redis than the one all tests share. */
  redisUrl?: string
  /** Replaces dependencies that are real otherwise. */
  deps?: Partial<Dependencies>
}

export async function startHarness(options: HarnessOptions = {}) {
  const database = await freshDatabase('sim')
  const neon = await startNeonBridge({ port: 0, postgresUrl: database.url })
  const upstash = await startUpstashBridge({
    port: 0,
    redisUrl: options.redisUrl ?? inject('redisUrl'),
    token: REDIS_TOKEN,
  })
  const config: Config = readConfig({
    REALM: 'sim',
    DATABASE_URL: database.url,
    NEON_HTTP_ENDPOINT: neon.url,
    UPSTASH_REDIS_REST_URL: upstash.url,
    UPSTASH_REDIS_REST_TOKEN: REDIS_TOKEN,
    CREDENTIAL_KEYS: testKey(),
    TICKET_KEYS: testKey(),
    KITE_API_ROOT: options.kiteApiRoot ?? 'http://127.0.0.1:9',
    KITE_LOGIN_ROOT: 'http://127.0.0.1:9/connect/login',
    ...(options.paperApiRoot === undefined
      ? {}
      : {
          PAPER_API_ROOT: options.paperApiRoot,
          PAPER_LOGIN_ROOT: 'http://paper.test/connect/login',
        }),
  })
  const logLines: string[] = []
  const log = lineLog((line) => logLines.push(line), systemClock.nowMs)
  const limits = { allowed: true }
  const deps: Dependencies = {
    config,
    db: openDatabase(config, fetch),
    commandChannel: commandChannel({
      redis: upstashRedis(config),
      realm: config.realm,
      clock: systemClock,
      log,
    }),
    clock: systemClock,
    fetch,
    rateLimit: { limit: async () => ({ success: limits.allowed }) },
    log,
    ...options.deps,
  }
  const app = createApp(deps)

  const deferred: Promise<unknown>[] = []
  const context: ExecutionContext = {
    waitUntil: (work) => void deferred.push(work),
    passThroughOnException: () => {},
    props: {},
  }
  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    return await app.request(`${ORIGIN}${path}`, init, {}, context)
  }

  const seed = seeds(database.pool)
  const key = await seed.apiKey({ owner: 'desk', scopes: [...SCOPES] })

  /** One JSON call. */
  async function call(
    method: string,
    path: string,
    body?: unknown,
    { as = key.secret, headers, signal }: CallOptions = {},
  ): Promise<Answer> {
    const response = await request(path, {
      method,
      ...(signal ? { signal } : {}),
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      headers: {
        ...(as === null ? {} : { authorization: `Bearer ${as}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: text && parse(text) }
  }

  /** One raw command on the Redis that both planes share. */
  async function redis(...command: string[]): Promise<unknown> {
    const response = await fetch(upstash.url, {
      method: 'POST',
      headers: { authorization: `Bearer ${REDIS_TOKEN}` },
      body: JSON.stringify(command),
    })
    return response.json()
  }

  return {
    app,
    deps,
    config,
    database,
    seed,
    key,
    logLines,
    limits,
    request,
    call,
    redis,
    /** Plays the instance: takes the one question in its stream, and leaves the answer where it is looked for. */
    async answerNext(instance: string, answer: unknown): Promise<Question> {
      const asked = async (): Promise<Question | undefined> => {
        const found = entries.parse(await redis('XRANGE', commandStreamKey('sim', instance), '-', '+'))
        const command = parseCommand(found.result[0]?.[1][1])
        return command?.kind === 'question' ? command : undefined
      }
      const question = await vi.waitFor(async () => {
        const question = await asked()
        if (!question) throw new Error('nothing asked yet')
        return question
      })
      await redis('DEL', commandStreamKey('sim', instance))
      await redis('SET', answerKey('sim', question.id), JSON.stringify(answer), 'EX', '60')
      return question
    },
    /** Resolves when everything deferred so far is done. */
    settled: () => Promise.allSettled(deferred),
    keyWith: (
      scopes: Scope[],
      more: { owner?: string; account_ids?: string[]; refuse_repeats_s?: number } = {},
    ) => seed.apiKey({ owner: 'desk', scopes, ...more }),
    async close() {
      await Promise.allSettled(deferred)
      await neon.close()
      await upstash.close()
      await database.drop()
    },
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
