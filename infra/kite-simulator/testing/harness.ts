// What the simulator's own tests share: a simulator on a free loopback port without delays, and small clients.
import { decodeFrame, isHeartbeat, type Tick } from '@ticker/shared/kite-wire'
import { WebSocket } from 'ws'
import { z } from 'zod'
import { type Simulator, type SimulatorOptions, startSimulator } from '../index.ts'

export const USER = {
  user_id: 'AB1234',
  api_key: 'testkey',
  api_secret: 'testsecret',
  access_token: 'testtoken1',
  redirect_url: 'http://127.0.0.1:9/callback',
} as const
export const INFY = 408065
export const NIFTY = 256265

/** Monday 23 November 2026, 10:00 IST. */
export const MONDAY_MORNING_MS = Date.parse('2026-11-23T10:00:00+05:30')

export function startTestSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  return startSimulator({
    port: 0,
    seed: 7,
    users: [USER],
    startAtMs: MONDAY_MORNING_MS,
    replyDelayMs: [0, 0],
    openDelayMs: [0, 0],
    updateDelayMs: [0, 0],
    partialFillChance: 0,
    ticksPerSecond: 100,
    batchMs: 10,
    heartbeatMs: 20,
    rateLimits: false,
    ...options,
  })
}

const envelope = z.object({
  status: z.string(),
  data: z.unknown(),
  message: z.string().optional(),
  error_type: z.string().optional(),
})
export type Reply = z.output<typeof envelope> & { http: number }

/** One REST call as the test user; bodies are forms, or JSON under `/sim`. */
export async function call(
  simulator: Simulator,
  method: string,
  path: string,
  body?: Record<string, unknown>,
  authorization = `token ${USER.api_key}:${USER.access_token}`,
): Promise<Reply> {
  const json = path.startsWith('/sim')
  const form = () =>
    new URLSearchParams(
      Object.fromEntries(Object.entries(body ?? {}).map(([key, value]) => [key, String(value)])),
    )
  const init: RequestInit = { method, headers: { authorization } }
  if (body !== undefined) init.body = json ? JSON.stringify(body) : form()
  const response = await fetch(simulator.url + path, init)
  return { http: response.status, ...envelope.parse(await response.json()) }
}

const ORDER_ID = z.object({ order_id: z.string() })
export const LIMIT_ORDER = {
  exchange: 'NSE',
  tradingsymbol: 'INFY',
  transaction_type: 'BUY',
  quantity: 10,
  product: 'CNC',
  order_type: 'LIMIT',
  price: 1_000,
}

export async function place(simulator: Simulator, change: Record<string, unknown> = {}): Promise<string> {
  const reply = await call(simulator, 'POST', '/orders/regular', { ...LIMIT_ORDER, ...change })
  return ORDER_ID.parse(reply.data).order_id
}

/** Asks again until the answer satisfies the check; the test's own timeout bounds it. */
export async function until<T>(ask: () => Promise<T>, check: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (check(answer)) return answer
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

export type Received =
  | { kind: 'heartbeat' }
  | { kind: 'pong' }
  | { kind: 'ticks'; ticks: Tick[]; bytes: Buffer }
  | { kind: 'text'; text: string }
  | { kind: 'closed'; code: number; error: string | null }

/** A raw ticker client that keeps everything it received, in order. */
export class TickerClient {
  readonly received: Received[] = []
  readonly #socket: WebSocket
  #wake: () => void = () => {}
  #error: string | null = null

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data, isBinary) => {
      if (!isBinary) this.#keep({ kind: 'text', text: String(data) })
      else if (Buffer.isBuffer(data)) {
        const frame = { kind: 'ticks', ticks: decodeFrame(data), bytes: data } as const
        this.#keep(isHeartbeat(data) ? { kind: 'heartbeat' } : frame)
      }
    })
    // `ws` keeps a reset to itself.
    socket.on('upgrade', ({ socket: tcp }) => {
      tcp.on('error', (error: NodeJS.ErrnoException) => (this.#error = error.code ?? error.message))
    })
    socket.on('close', (code) => this.#keep({ kind: 'closed', code, error: this.#error }))
    socket.on('pong', () => this.#keep({ kind: 'pong' }))
  }

  send(message: unknown): void {
    this.#socket.send(JSON.stringify(message))
  }

  /** Stops reading for good. */
  pause(): void {
    this.#socket.pause()
  }

  ping(): void {
    this.#socket.ping()
  }

  sendRaw(text: string): void {
    this.#socket.send(text)
  }

  ticks(): Tick[] {
    return this.received.flatMap((one) => (one.kind === 'ticks' ? one.ticks : []))
  }

  texts(): string[] {
    return this.received.flatMap((one) => (one.kind === 'text' ? [one.text] : []))
  }

  async until(check: (client: this) => boolean): Promise<void> {
    while (!check(this)) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  close(): void {
    this.#socket.terminate()
  }

  #keep(received: Received): void {
    this.received.push(received)
    this.#wake()
  }
}

/** A connected client, or the HTTP status that refused the upgrade. */
export function connect(
  simulator: Simulator,
  accessToken: string = USER.access_token,
  path = '/',
  apiKey: string = USER.api_key,
): Promise<TickerClient | number> {
  const socket = new WebSocket(`${simulator.wsUrl}${path}?api_key=${apiKey}&access_token=${accessToken}`)
  return new Promise((resolve, reject) => {
    // Listening before the first frame can arrive.
    const client = new TickerClient(socket)
    socket.on('open', () => resolve(client))
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
    socket.on('error', reject)
  })
}

export async function connected(
  simulator: Simulator,
  user: { api_key: string; access_token: string } = USER,
): Promise<TickerClient> {
  const client = await connect(simulator, user.access_token, '/', user.api_key)
  if (typeof client === 'number') throw new Error(`upgrade refused with ${client}`)
  return client
}
