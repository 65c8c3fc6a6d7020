// A pool over upstream sockets that a test opens, feeds and breaks by hand. What the broker has of each token is
// followed frame by frame, so that a test knows what was really lost.
import type { Mode } from '@ticker/shared/kite-wire'
import { Registry } from 'prom-client'
import { createKiteSocketMetrics } from '../kite-socket/metrics.ts'
import { createKitePool } from '../kite-socket/pool.ts'
import type { RawSocket } from '../kite-socket/raw-socket.ts'
import { silentLog } from '../operations/log.ts'
import { fakeClock } from './fake-clock.ts'
import { fakeRawSockets } from './fake-raw-socket.ts'

export const quotes = (from: number, count: number, mode: Mode = 'quote') =>
  new Map(Array.from({ length: count }, (_, index) => [from + index, mode]))

export function fakePool() {
  const clock = fakeClock()
  const upstream = fakeRawSockets()
  const events: string[] = []
  /** How often each token was said to have a gap, and how often it really had one. */
  const [said, had] = [new Map<number, number>(), new Map<number, number>()]
  const subscribed = new Map<RawSocket, Set<number>>()
  const everBrought = new Set<number>()
  let missing = new Set<number>()
  let heldMax = 0
  let wantedMode = (_token: number): Mode | undefined => 'full'

  function look() {
    for (const tokens of subscribed.values()) heldMax = Math.max(heldMax, tokens.size)
    const brought = new Set([...subscribed.values()].flatMap((tokens) => [...tokens]))
    for (const token of brought) {
      if (missing.has(token)) had.set(token, (had.get(token) ?? 0) + 1)
      everBrought.add(token)
    }
    missing = new Set([...everBrought].filter((token) => !brought.has(token)))
  }

  const pool = createKitePool({
    clock,
    random: () => 0.5,
    log: silentLog,
    metrics: createKiteSocketMetrics(new Registry()),
    registry: new Registry(),
    isOpen: () => true,
    wantedMode: (token) => wantedMode(token),
    wsRoot: 'wss://broker.example',
    openSocket(url, listener) {
      const gone = () => {
        subscribed.delete(socket)
        look()
      }
      const socket = upstream.open(url, {
        ...listener,
        closed(reason) {
          fake.terminated = true
          gone()
          listener.closed(reason)
        },
      })
      const fake = upstream.last()
      const { send, terminate } = socket
      subscribed.set(socket, new Set())
      socket.send = (text) => {
        send(text)
        const { a, v } = JSON.parse(text)
        for (const token of a === 'mode' ? [] : v) {
          if (a === 'subscribe') subscribed.get(socket)?.add(token)
          else subscribed.get(socket)?.delete(token)
        }
        look()
      }
      socket.terminate = () => {
        terminate()
        gone()
      }
      return socket
    },
    events: {
      binary: () => {},
      order: () => {},
      gap(accountId, tokens) {
        events.push(`gap ${accountId} ${[...tokens.keys()].sort((a, b) => a - b).join()}`)
        for (const token of tokens.keys()) said.set(token, (said.get(token) ?? 0) + 1)
      },
      updatesLost: (accountId) => events.push(`updates lost ${accountId}`),
      sessionRefused: () => {},
      begun: () => {},
    },
  })

  return {
    pool,
    clock,
    events,
    said,
    had,
    sockets: upstream.sockets,
    /** The most that any socket was subscribed to at any moment. */
    heldMax: () => heldMax,
    living: () => upstream.sockets.filter((socket) => !socket.terminated),
    want(next: (token: number) => Mode | undefined) {
      wantedMode = next
    },
    /** Every socket that waits for it opens. */
    async openAll() {
      await clock.advance(0)
      for (const socket of upstream.sockets) socket.events.open()
    },
    /** Time goes by with heartbeats, so that no socket is silent. */
    async pass(ms: number) {
      for (let leftMs = ms; leftMs > 0; leftMs -= 1_000) {
        for (const socket of upstream.sockets) socket.events.binary(new Uint8Array(1))
        await clock.advance(Math.min(1_000, leftMs))
      }
    },
  }
}
