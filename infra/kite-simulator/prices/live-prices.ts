// Prices of a real market for a paper broker: a client of a Kite-compatible socket that subscribes, in full mode, what
// anybody here asks the price of. While the socket is away nothing has a price, so nothing fills.
import { scanFrame } from '@ticker/shared/kite-wire'
import { WebSocket } from 'ws'
import type { Tasks } from '../tasks.ts'
import type { PriceEngine } from './engine.ts'

/** What one socket of the broker may have. */
export const LIVE_INSTRUMENTS_MAX = 3_000
const BACKOFF_MS = [1_000, 2_000, 5_000, 10_000, 30_000]
const HANDSHAKE_TIMEOUT_MS = 10_000
/** The heartbeat comes every second. */
const SILENCE_MS_MAX = 5_000
const WATCH_MS = 1_000

/** Where to connect, with credentials that are valid now: asked before each connection. */
export type PriceSource = () => Promise<string>

export class LivePrices {
  readonly #engine: PriceEngine
  readonly #tasks: Tasks
  readonly #source: PriceSource
  readonly #log: (line: string) => void
  readonly #wanted = new Set<number>()
  #socket: WebSocket | null = null
  #heardMs = 0
  #failures = 0
  #refused = 0
  #stopped = false

  constructor(engine: PriceEngine, tasks: Tasks, source: PriceSource, log: (line: string) => void) {
    this.#engine = engine
    this.#tasks = tasks
    this.#source = source
    this.#log = log
    engine.takeFrom((token) => this.#want(token))
    tasks.every(WATCH_MS, () => this.#watch())
    void this.#connect()
  }

  view() {
    return {
      connected: this.#socket?.readyState === WebSocket.OPEN,
      instruments: this.#wanted.size,
      /** Beyond what a socket may have. */
      refused: this.#refused,
    }
  }

  stop(): void {
    this.#stopped = true
    this.#socket?.terminate()
  }

  #want(token: number): void {
    if (this.#wanted.has(token)) return
    if (this.#wanted.size >= LIVE_INSTRUMENTS_MAX) {
      this.#refused += 1
      return
    }
    this.#wanted.add(token)
    this.#subscribe([token])
  }

  #subscribe(tokens: number[]): void {
    if (tokens.length === 0 || this.#socket?.readyState !== WebSocket.OPEN) return
    // It subscribes too (KITE.md 1.2), and the first tick is a full one.
    this.#socket.send(JSON.stringify({ a: 'mode', v: ['full', tokens] }))
  }

  async #connect(): Promise<void> {
    try {
      const url = await this.#source()
      if (this.#stopped) return
      const socket = new WebSocket(url, {
        perMessageDeflate: false,
        handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      })
      socket.binaryType = 'nodebuffer'
      this.#socket = socket
      this.#heardMs = performance.now()
      socket.on('open', () => {
        this.#failures = 0
        this.#log('prices: connected')
        this.#subscribe([...this.#wanted])
      })
      socket.on('message', (data, isBinary) => {
        this.#heardMs = performance.now()
        if (isBinary && Buffer.isBuffer(data)) this.#frame(data)
      })
      // Its text may hold the address, and with it the credentials.
      socket.on('error', () => {})
      socket.once('close', (code) => this.#lost(`closed with ${code}`))
    } catch (error) {
      this.#lost(error instanceof Error ? error.message : String(error))
    }
  }

  #lost(reason: string): void {
    if (this.#stopped) return
    this.#socket = null
    this.#engine.forgetPrices()
    const delayMs = BACKOFF_MS[Math.min(this.#failures, BACKOFF_MS.length - 1)] ?? 0
    this.#failures += 1
    this.#log(`prices: ${reason}; nothing fills; again in ${delayMs / 1000} s`)
    this.#tasks.after(delayMs, () => void this.#connect())
  }

  #watch(): void {
    if (this.#socket && performance.now() - this.#heardMs > SILENCE_MS_MAX) this.#socket.terminate()
  }

  #frame(bytes: Buffer): void {
    scanFrame(bytes, (offset, length, token) => {
      if (this.#wanted.has(token)) this.#engine.emitLive(token, bytes.subarray(offset, offset + length))
    })
    this.#engine.endRound()
  }
}
