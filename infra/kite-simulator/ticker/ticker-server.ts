// The ticker: sockets of every user, who watches what, and what each is sent. Ticks are queued per socket as they
// happen and flushed once per round; a subscription gets the last tick at once (KITE.md 1.2).
import type { Mode } from '@ticker/shared/kite-wire'
import type { WebSocket } from 'ws'
import type { Faults } from '../faults/faults.ts'
import type { PriceEngine, TickListener } from '../prices/engine.ts'
import type { Quote } from '../prices/quote.ts'
import { parseClientMessage } from './client-message.ts'
import { type TextFrame, TickerSocket } from './ticker-socket.ts'

export const SOCKETS_PER_API_KEY = 3
export const TOKENS_PER_SOCKET = 3_000
const TOO_MANY_TOKENS = "Can't subscribe to more than 3000 instruments."

export class TickerServer implements TickListener {
  readonly #engine: PriceEngine
  readonly #faults: Faults
  readonly #sockets = new Set<TickerSocket>()
  readonly #watchers = new Map<number, Set<TickerSocket>>()

  constructor(engine: PriceEngine, faults: Faults) {
    this.#engine = engine
    this.#faults = faults
    engine.listen(this)
  }

  hasRoom(apiKey: string): boolean {
    let open = 0
    for (const socket of this.#sockets) if (socket.apiKey === apiKey) open++
    return open < SOCKETS_PER_API_KEY
  }

  accept(webSocket: WebSocket, userId: string, apiKey: string): void {
    const socket = new TickerSocket(webSocket, userId, apiKey)
    this.#sockets.add(socket)
    webSocket.on('message', (data, isBinary) => {
      if (!isBinary) this.#onText(socket, String(data))
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
      if (mode !== undefined && socket.queue(quote, mode)) this.#flush(socket)
    }
  }

  onRoundEnd(): void {
    for (const socket of this.#sockets) this.#flush(socket)
  }

  heartbeat(): void {
    for (const socket of this.#sockets) {
      if (!this.#faults.active('silence', socket.userId)) socket.heartbeat()
    }
  }

  /** A text frame to every socket of the user (order updates reach all of them). */
  sendText(userId: string, frame: TextFrame): void {
    if (this.#faults.active('silence', userId)) return
    for (const socket of this.#sockets) if (socket.userId === userId) socket.sendText(frame)
  }

  dropSockets(userId: string | undefined): number {
    let dropped = 0
    for (const socket of this.#sockets) {
      if (userId !== undefined && socket.userId !== userId) continue
      socket.terminate()
      dropped++
    }
    return dropped
  }

  view(): { user_id: string; api_key: string; subscriptions: number; modes: Record<Mode, number> }[] {
    return [...this.#sockets].map((socket) => {
      const modes = { ltp: 0, quote: 0, full: 0 }
      for (const mode of socket.modes.values()) modes[mode]++
      return { user_id: socket.userId, api_key: socket.apiKey, subscriptions: socket.modes.size, modes }
    })
  }

  #flush(socket: TickerSocket): void {
    if (this.#isQuiet(socket)) socket.discardQueued()
    else socket.flush()
  }

  #isQuiet(socket: TickerSocket): boolean {
    return this.#faults.active('mute', socket.userId) || this.#faults.active('silence', socket.userId)
  }

  #onText(socket: TickerSocket, text: string): void {
    const message = parseClientMessage(text)
    if (message === null) return
    if (message.action === 'unsubscribe') {
      for (const token of message.tokens) this.#unwatch(socket, token)
      return
    }
    // Whoever waits in the queue belongs to the last round: it goes out before the cached ticks.
    this.#flush(socket)
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
    this.#engine.watch(token)
    const quote = this.#engine.quote(token)
    if (quote?.hasTick) socket.queue(quote, chosen)
    return true
  }

  #unwatch(socket: TickerSocket, token: number): void {
    if (!socket.modes.delete(token)) return
    const watchers = this.#watchers.get(token)
    watchers?.delete(socket)
    if (watchers?.size === 0) this.#watchers.delete(token)
    this.#engine.unwatch(token)
  }

  #forget(socket: TickerSocket): void {
    this.#sockets.delete(socket)
    for (const token of [...socket.modes.keys()]) this.#unwatch(socket, token)
  }
}
