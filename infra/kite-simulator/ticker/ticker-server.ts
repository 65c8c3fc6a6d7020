// The ticker: sockets of every user, who watches what, and what each is sent. Ticks are queued per socket as they
// happen and flushed once per round; a subscription gets the last tick at once (KITE.md 1.2).
import type { Socket } from 'node:net'
import type { Mode } from '@ticker/shared/kite-wire'
import type { WebSocket } from 'ws'
import { spoilFrame } from '../faults/bad-frame.ts'
import { type Faults, isOn, type SocketScope } from '../faults/faults.ts'
import type { PriceEngine, TickListener } from '../prices/engine.ts'
import type { Quote } from '../prices/quote.ts'
import type { User } from '../users/user-store.ts'
import { parseClientMessage } from './client-message.ts'
import { SlowReads } from './slow-reads.ts'
import { type DropHow, type SocketView, type TextFrame, TickerSocket } from './ticker-socket.ts'

export const SOCKETS_PER_API_KEY = 3
export const TOKENS_PER_SOCKET = 3_000
const TOO_MANY_TOKENS = "Can't subscribe to more than 3000 instruments."

export class TickerServer implements TickListener {
  readonly #engine: PriceEngine
  readonly #faults: Faults
  readonly #slowReads: SlowReads
  readonly #sockets = new Set<TickerSocket>()
  readonly #watchers = new Map<number, Set<TickerSocket>>()
  #nextId = 1
  #spoilt = 0

  constructor(engine: PriceEngine, faults: Faults) {
    this.#engine = engine
    this.#faults = faults
    this.#slowReads = new SlowReads(faults)
    engine.listen(this)
  }

  sockets(): IterableIterator<TickerSocket> {
    return this.#sockets.values()
  }

  hasRoom(apiKey: string): boolean {
    return this.#freeOrdinal(apiKey) <= SOCKETS_PER_API_KEY
  }

  accept(webSocket: WebSocket, tcp: Socket, user: User): void {
    const socket = new TickerSocket(webSocket, tcp, {
      id: `s${this.#nextId++}`,
      ordinal: this.#freeOrdinal(user.api_key),
      userId: user.user_id,
      apiKey: user.api_key,
      expiresMs: user.session?.expires_ms ?? 0,
    })
    this.#sockets.add(socket)
    webSocket.on('message', (data, isBinary) => {
      if (!isBinary) this.#onText(socket, String(data))
    })
    webSocket.on('ping', (payload) => {
      if (this.#faults.on('silence', socket) === null) socket.pong(payload)
    })
    webSocket.on('error', () => socket.terminate())
    webSocket.on('close', () => this.#forget(socket))
  }

  onTick(quote: Quote): void {
    const token = quote.fields.instrument_token
    const watchers = this.#watchers.get(token)
    if (watchers === undefined) return
    for (const socket of watchers) {
      const mode = socket.modes.get(token)
      if (mode === undefined || socket.loaded) continue
      if (this.#faults.mutesTick(socket, token, quote.instrument.exchange)) continue
      if (socket.queue(quote, mode)) this.#flush(socket)
    }
  }

  onRoundEnd(): void {
    for (const socket of this.#sockets) this.#flush(socket)
  }

  heartbeat(): void {
    for (const socket of this.#sockets) {
      if (this.#faults.on('silence', socket) === null) socket.heartbeat()
    }
  }

  /** A fault was armed that may have to act before the next pulse. */
  faultArmed(): void {
    this.#slowReads.pulse(this.#sockets, 0)
  }

  /** Called by the simulator's timer: what goes on or ends by the clock. */
  pulse(simulatedMs: number, elapsedMs: number, closeAtRollover: boolean): void {
    this.#slowReads.pulse(this.#sockets, elapsedMs)
    if (!closeAtRollover) return
    for (const socket of this.#sockets) if (simulatedMs >= socket.expiresMs) socket.terminate()
  }

  /** A text frame to every socket of the user (order updates reach all of them). */
  sendText(userId: string, frame: TextFrame): void {
    for (const socket of this.#sockets) {
      if (socket.userId === userId && this.#faults.on('silence', socket) === null) socket.sendText(frame)
    }
  }

  /** True when ticks must not reach the socket now. */
  isQuiet(socket: TickerSocket): boolean {
    if (this.#faults.none) return false
    return this.#faults.on('mute', socket) !== null || this.#faults.on('silence', socket) !== null
  }

  /** A function that spoils the socket's next frame, when a fault says so; one use of the fault is spent. */
  takeSpoil(socket: TickerSocket): ((frame: Uint8Array) => Uint8Array) | undefined {
    if (this.#faults.none) return undefined
    const fault = this.#faults.takeOn('bad_frame', socket)
    return fault === null ? undefined : (frame) => spoilFrame(frame, fault, this.#spoilt++)
  }

  /** A load drives the socket, or no longer does: the generated process is needed for the others only. */
  setLoaded(socket: TickerSocket, loaded: boolean): void {
    if (socket.loaded === loaded) return
    socket.loaded = loaded
    for (const token of socket.modes.keys()) {
      if (loaded) this.#engine.unwatch(token)
      else this.#engine.watch(token)
    }
  }

  /** Every matching socket, by TCP's FIN unless told how. */
  dropSockets(drop: SocketScope & { how?: DropHow; code?: number }): number {
    const dropped = [...this.#sockets].filter((socket) => isOn(drop, socket))
    for (const socket of dropped) socket.drop(drop.how ?? 'fin', drop.code ?? 1001)
    return dropped.length
  }

  hasSocket(id: string): boolean {
    return [...this.#sockets].some((socket) => socket.id === id)
  }

  view(): SocketView[] {
    return [...this.#sockets].map((socket) => socket.view())
  }

  #flush(socket: TickerSocket): void {
    if (!socket.hasQueued) return
    if (this.isQuiet(socket)) socket.discardQueued()
    else socket.flush(this.takeSpoil(socket))
  }

  #onText(socket: TickerSocket, text: string): void {
    const message = parseClientMessage(text)
    if (message === null) return
    socket.subscriptionVersion++
    if (message.action === 'unsubscribe') {
      for (const token of message.tokens) this.#unwatch(socket, token)
      return
    }
    // Whoever waits in the queue belongs to the last round: it goes out before the cached ticks.
    this.#flush(socket)
    this.#faults.onSubscribe(socket, message.tokens)
    let refused = false
    for (const token of message.tokens) {
      const mode = message.action === 'mode' ? message.mode : undefined
      if (!this.#watch(socket, token, mode)) refused = true
    }
    this.#flush(socket)
    if (refused) socket.sendText({ type: 'error', data: TOO_MANY_TOKENS })
  }

  /** False when the socket is full. Unknown tokens are accepted and stay silent, as at the broker. */
  #watch(socket: TickerSocket, token: number, mode: Mode | undefined): boolean {
    const before = socket.modes.get(token)
    if (before !== undefined) {
      if (mode !== undefined) socket.modes.set(token, mode)
      return true
    }
    if (socket.modes.size >= TOKENS_PER_SOCKET) return false
    const chosen = mode ?? 'quote'
    socket.modes.set(token, chosen)
    const watchers = this.#watchers.get(token)
    if (watchers === undefined) this.#watchers.set(token, new Set([socket]))
    else watchers.add(socket)
    if (!socket.loaded) this.#engine.watch(token)
    const quote = this.#engine.quote(token)
    if (!quote?.hasTick || this.#faults.mutesTick(socket, token, quote.instrument.exchange)) return true
    socket.queue(quote, chosen)
    return true
  }

  #unwatch(socket: TickerSocket, token: number): void {
    if (!socket.modes.delete(token)) return
    const watchers = this.#watchers.get(token)
    watchers?.delete(socket)
    if (watchers?.size === 0) this.#watchers.delete(token)
    if (!socket.loaded) this.#engine.unwatch(token)
  }

  #forget(socket: TickerSocket): void {
    this.#sockets.delete(socket)
    for (const token of [...socket.modes.keys()]) this.#unwatch(socket, token)
  }

  /** Past SOCKETS_PER_API_KEY when none is free. */
  #freeOrdinal(apiKey: string): number {
    const taken = new Set<number>()
    for (const socket of this.#sockets) if (socket.apiKey === apiKey) taken.add(socket.ordinal)
    let ordinal = 1
    while (taken.has(ordinal)) ordinal++
    return ordinal
  }
}
