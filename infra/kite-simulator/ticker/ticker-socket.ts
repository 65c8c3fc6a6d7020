// One client connection: its subscriptions and modes, and the bytes waiting for it. Sends a heartbeat byte when a
// second passed without data; a client that does not read is cut off rather than buffered for ever.
import type { Socket } from 'node:net'
import { HEARTBEAT, type Mode, packetLengthFor } from '@ticker/shared/kite-wire'
import type { WebSocket } from 'ws'
import type { Quote } from '../prices/quote.ts'
import { FrameBuffer } from './frame-buffer.ts'

export const BUFFERED_BYTES_MAX = 64 * 1024 * 1024

export type TextFrame =
  | { type: 'order'; data: unknown }
  | { type: 'error'; data: string }
  | { type: 'message'; data: string }

export type DropHow = 'fin' | 'rst' | 'close'

export interface SocketIdentity {
  /** Of this very connection. */
  id: string
  /** The lowest that was free among the sockets of the api key: a reconnect usually gets it back. */
  ordinal: number
  userId: string
  apiKey: string
  /** When the access token it was opened with dies, by the simulated clock. */
  expiresMs: number
}

export interface SocketView {
  id: string
  ordinal: number
  user_id: string
  api_key: string
  subscriptions: number
  modes: Record<Mode, number>
  sent: { frames: number; ticks: number; bytes: number }
  /** Ticks a load left out because the client had not read the ones before. */
  backpressure_skipped_ticks: number
  buffered_bytes: number
  bytes_read: number
}

export class TickerSocket {
  readonly id: string
  readonly ordinal: number
  readonly userId: string
  readonly apiKey: string
  readonly expiresMs: number
  readonly modes = new Map<number, Mode>()
  /** Changes with every subscription, mode and unsubscription. */
  subscriptionVersion = 0
  /** A load sends its ticks, the generated process does not. */
  loaded = false
  skippedTicks = 0
  readonly #socket: WebSocket
  readonly #tcp: Socket
  readonly #pending = new FrameBuffer()
  readonly #sent = { frames: 0, ticks: 0, bytes: 0 }
  #sentSinceHeartbeat = false
  #onRead: (() => void) | null = null

  constructor(socket: WebSocket, tcp: Socket, identity: SocketIdentity) {
    this.#socket = socket
    this.#tcp = tcp
    this.id = identity.id
    this.ordinal = identity.ordinal
    this.userId = identity.userId
    this.apiKey = identity.apiKey
    this.expiresMs = identity.expiresMs
  }

  get bytesRead(): number {
    return this.#tcp.bytesRead
  }

  /** True when the frame is as long as it may get and has to be flushed. */
  queue(quote: Quote, mode: Mode): boolean {
    this.#pending.append(quote.packet, packetLengthFor(quote.fields.instrument_token, mode))
    return this.#pending.isFull
  }

  get hasQueued(): boolean {
    return !this.#pending.isEmpty
  }

  /** Sends the queued packets in one frame, changed by `spoil` when that is given. */
  flush(spoil?: (frame: Uint8Array) => Uint8Array): void {
    if (this.#pending.isEmpty) return
    const packets = this.#pending.packets
    const frame = this.#pending.take()
    if (this.#send(spoil === undefined ? frame : spoil(frame))) this.#count(packets, frame.length)
  }

  discardQueued(): void {
    this.#pending.clear()
  }

  /** A frame of ticks out of turn. */
  sendTicks(frame: Uint8Array, ticks: number): void {
    if (this.#send(frame)) this.#count(ticks, frame.length)
  }

  /** False while earlier bytes wait for the client, or when it is gone. */
  get isWritable(): boolean {
    return this.#socket.readyState === this.#socket.OPEN && this.#tcp.writableLength === 0
  }

  /** Writes a ready WebSocket frame without copying it: its bytes may change once `isWritable` is true again. */
  writeReady(frame: Uint8Array, ticks: number): void {
    this.#sentSinceHeartbeat = true
    this.#tcp.write(frame)
    this.#count(ticks, frame.length)
  }

  sendText(frame: TextFrame): void {
    this.#send(JSON.stringify(frame))
  }

  heartbeat(): void {
    if (!this.#sentSinceHeartbeat) this.#send(HEARTBEAT)
    this.#sentSinceHeartbeat = false
  }

  pong(payload: Buffer): void {
    if (this.#socket.readyState === this.#socket.OPEN) this.#socket.pong(payload)
  }

  /** Calls back after every read of the TCP connection; null ends it. */
  watchReads(onRead: (() => void) | null): void {
    if (this.#onRead !== null) this.#tcp.off('data', this.#onRead)
    this.#onRead = onRead
    if (onRead !== null) this.#tcp.on('data', onRead)
  }

  /** While paused, what the client writes stays in the kernel. */
  setReading(reading: boolean): void {
    if (reading === !this.#socket.isPaused) return
    if (reading) this.#socket.resume()
    else this.#socket.pause()
  }

  drop(how: DropHow, code: number): void {
    if (how === 'rst') this.#tcp.resetAndDestroy()
    else if (how === 'close') this.#socket.close(code)
    else this.#socket.terminate()
  }

  /** Ends the TCP connection without a closing handshake. */
  terminate(): void {
    this.#socket.terminate()
  }

  view(): SocketView {
    const modes = { ltp: 0, quote: 0, full: 0 }
    for (const mode of this.modes.values()) modes[mode]++
    return {
      id: this.id,
      ordinal: this.ordinal,
      user_id: this.userId,
      api_key: this.apiKey,
      subscriptions: this.modes.size,
      modes,
      sent: { ...this.#sent },
      backpressure_skipped_ticks: this.skippedTicks,
      buffered_bytes: this.#socket.bufferedAmount,
      bytes_read: this.#tcp.bytesRead,
    }
  }

  #count(ticks: number, bytes: number): void {
    this.#sent.frames++
    this.#sent.ticks += ticks
    this.#sent.bytes += bytes
  }

  #send(payload: Uint8Array | string): boolean {
    if (this.#socket.readyState !== this.#socket.OPEN) return false
    if (this.#socket.bufferedAmount > BUFFERED_BYTES_MAX) {
      this.terminate()
      return false
    }
    this.#sentSinceHeartbeat = true
    this.#socket.send(payload)
    return true
  }
}
