// Speaks Upstash's REST protocol to one local Redis, so that the Worker's real client runs unchanged.
// While Redis is away every call is answered at once with an error; the bridge reconnects by itself and never ends.
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createClient, ErrorReply, RESP_TYPES } from 'redis'
import { closeServer, listen, readBody, sendJson } from './bridge-http.ts'
import type { Bridge } from './neon-bridge.ts'

export interface UpstashBridgeOptions {
  /** 0: any free port. */
  port: number
  redisUrl: string
  /** The bearer token callers must send. */
  token: string
}

const BODY_BYTES_MAX = 10 * 1024 * 1024
const COMMANDS_MAX = 10_000
const RECONNECT_MS_MAX = 500

type Answer = { result: unknown } | { error: string }

export async function startUpstashBridge(options: UpstashBridgeOptions): Promise<Bridge> {
  const client = createClient({
    url: options.redisUrl,
    // Upstash answers in RESP2 shapes: a hash is a flat list.
    RESP: 2,
    // Fail at once instead of queueing while the server is away: callers have a breaker for that.
    disableOfflineQueue: true,
    socket: {
      connectTimeout: 1_000,
      reconnectStrategy: (retries) => Math.min(50 * (retries + 1), RECONNECT_MS_MAX),
    },
  }).withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer })
  // The client reports each failed reconnect; what matters to callers is said in their answers.
  client.on('error', () => {})
  // Resolves at the first connection or the first failure. Redis may be away: the bridge then answers
  // with errors and keeps trying; but a Redis that is there has been reached before the first call comes.
  const firstAttempt = once(client, 'ready').catch(() => {})
  const connecting = client.connect().catch(() => {})
  await firstAttempt

  const send = (command: string[]): Promise<unknown> => client.sendCommand(command)
  const server = createServer((request, response) => {
    answer(request, response, options.token, send).catch((error: unknown) => {
      if (response.headersSent) return void response.destroy()
      const status = error instanceof ErrorReply || error instanceof BadRequest ? 400 : 500
      sendJson(response, status, { error: messageOf(error) })
    })
  })
  const port = await listen(server, options.port)
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      await closeServer(server)
      client.destroy()
      await connecting
    },
  }
}

class BadRequest extends Error {}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  token: string,
  send: (command: string[]) => Promise<unknown>,
): Promise<void> {
  if (request.headers.authorization !== `Bearer ${token}`) {
    return sendJson(response, 401, { error: 'Unauthorized' })
  }
  if (request.method !== 'POST') return sendJson(response, 405, { error: 'only POST is bridged' })
  const encode = encoder(request.headers['upstash-encoding'] === 'base64')
  const body = parse(await readBody(request, BODY_BYTES_MAX))
  switch (request.url) {
    case '/':
      return sendJson(response, 200, { result: encode(await send(readCommand(body))) })
    case '/pipeline':
      return sendJson(response, 200, await pipeline(readCommands(body), send, encode))
    case '/multi-exec':
      return sendJson(response, 200, await multi(readCommands(body), send, encode))
    default:
      return sendJson(response, 404, { error: 'no such path' })
  }
}

function pipeline(
  commands: string[][],
  send: (command: string[]) => Promise<unknown>,
  encode: (value: unknown) => unknown,
): Promise<Answer[]> {
  return Promise.all(
    commands.map((command) =>
      send(command).then(
        (value) => ({ result: encode(value) }),
        (error: unknown) => {
          if (error instanceof ErrorReply) return { error: error.message }
          throw error
        },
      ),
    ),
  )
}

/** All commands are written in one go on one connection, so nothing of another caller comes between. */
async function multi(
  commands: string[][],
  send: (command: string[]) => Promise<unknown>,
  encode: (value: unknown) => unknown,
): Promise<Answer[]> {
  const replies = await Promise.allSettled([
    send(['MULTI']),
    ...commands.map((command) => send(command)),
    send(['EXEC']),
  ])
  const last = replies.at(-1)
  if (last?.status !== 'fulfilled') throw last?.reason
  const results: unknown[] = Array.isArray(last.value) ? last.value : []
  return results.map((value) =>
    value instanceof Error ? { error: value.message } : { result: encode(value) },
  )
}

/** Upstash leaves "OK" readable and encodes every other string when asked for base64. */
function encoder(base64: boolean): (value: unknown) => unknown {
  const encodeText = (text: Buffer) => (base64 ? text.toString('base64') : text.toString('utf8'))
  return function encode(value: unknown): unknown {
    if (value === null || value === undefined) return null
    if (Buffer.isBuffer(value)) return encodeText(value)
    if (typeof value === 'string') return value === 'OK' ? value : encodeText(Buffer.from(value))
    if (Array.isArray(value)) return value.map(encode)
    return value
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new BadRequest('ERR the body is not JSON')
  }
}

function readCommand(value: unknown): string[] {
  if (!Array.isArray(value) || value.length === 0) throw new BadRequest('ERR a command is a non-empty array')
  return value.map((part) => (typeof part === 'string' ? part : JSON.stringify(part)))
}

function readCommands(value: unknown): string[][] {
  if (!Array.isArray(value)) throw new BadRequest('ERR expected an array of commands')
  if (value.length > COMMANDS_MAX) throw new BadRequest(`ERR more than ${COMMANDS_MAX} commands`)
  return value.map(readCommand)
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error)
}
