// One client connection: its subscriptions and modes, and the bytes waiting for it. Sends a heartbeat byte when a
// second passed without data; a client that does not read is cut off rather than buffered for ever.
import { HEARTBEAT, type Mode, packetLengthFor } from '@ticker/shared/kite-wire'
import type { WebSocket } from 'ws'
import type { Quote } from '../prices/quote.ts'
import { FrameBuffer } from './frame-buffer.ts'

export const BUFFERED_BYTES_MAX = 64 * 1024 * 1024

export type TextFrame =
  | { type: 'order'; data: unknown }
  | { type: 'error'; data: string }
  | { type: 'message'; data: string }

export class TickerSocket {
  readonly userId: string
  readonly apiKey: string
  readonly modes = new Map<number, Mode>()
  readonly #socket: WebSocket
  readonly #pending = new FrameBuffer()
  #sentSinceHeartbeat = false

  constructor(socket: WebSocket, userId: string, apiKey: string) {
    this.#socket = socket
    this.userId = userId
    this.apiKey = apiKey
  }

  /** True when the frame is as long as it may get and has to be flushed. */
  queue(quote: Quote, mode: Mode): boolean {
    this.#pending.append(quote.packet, packetLengthFor(quote.fields.instrument_token, mode))
    return this.#pending.isFull
  }

  flush(): void {
    if (!this.#pending.isEmpty) this.#send(this.#pending.take())
  }

  discardQueued(): void {
    this.#pending.clear()
  }

  sendText(frame: TextFrame): void {
    this.#send(JSON.stringify(frame))
  }

  heartbeat(): void {
    if (!this.#sentSinceHeartbeat) this.#send(HEARTBEAT)
    this.#sentSinceHeartbeat = false
  }

  /** Ends the TCP connection without a closing handshake. */
  terminate(): void {
    this.#socket.terminate()
  }

  #send(payload: Uint8Array | string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return
    if (this.#socket.bufferedAmount > BUFFERED_BYTES_MAX) {
      this.terminate()
      return
    }
    this.#sentSinceHeartbeat = true
    this.#socket.send(payload)
  }
}
