// What both client sockets need before an upgrade: plain HTTP refusals, the caller's address, and a bound on how
// often one address may fail.
import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock.ts'

const REASONS: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
}

/** An answer that has not left by then never will: the client reads nothing. */
export const REFUSAL_MAX_MS = 5_000

/**
 * Answers instead of upgrading, and closes; the body is for people. The connection is let go as soon as the answer has
 * left: to wait for the client to close its side too would let anybody hold file descriptors, without a credential.
 */
export function refuseUpgrade(socket: Duplex, status: number, message: string) {
  const body = `${message}\n`
  if (socket instanceof Socket) socket.setTimeout(REFUSAL_MAX_MS, () => socket.destroy())
  socket.end(
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Error'}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    () => socket.destroy(),
  )
}

export type ClientAddress = (request: IncomingMessage) => string

export const remoteAddress: ClientAddress = (request) => request.socket.remoteAddress ?? 'unknown'

/** Behind a proxy of ours: what it saw, not what the client claims earlier in the list. */
export const forwardedAddress: ClientAddress = (request) => {
  const header = request.headers['x-forwarded-for']
  const list = Array.isArray(header) ? header.join(',') : (header ?? '')
  return list.split(',').at(-1)?.trim() || remoteAddress(request)
}

export interface FailureLimit {
  exceeded(address: string): boolean
  failed(address: string): void
}

const FAILURES_MAX = 30
const WINDOW_MS = 60_000
const ADDRESSES_MAX = 10_000

/** At most FAILURES_MAX failed credentials a minute per address; remembers a bounded number of addresses. */
export function createFailureLimit(clock: Clock, failuresMax = FAILURES_MAX): FailureLimit {
  const addresses = new Map<string, { sinceMs: number; failures: number }>()
  const current = (address: string) => {
    const entry = addresses.get(address)
    return entry && clock.monotonicMs() - entry.sinceMs < WINDOW_MS ? entry : undefined
  }
  return {
    exceeded: (address) => (current(address)?.failures ?? 0) >= failuresMax,
    failed(address) {
      const entry = current(address)
      if (entry) {
        entry.failures += 1
        return
      }
      addresses.delete(address)
      addresses.set(address, { sinceMs: clock.monotonicMs(), failures: 1 })
      const [oldest] = addresses.keys()
      if (addresses.size > ADDRESSES_MAX && oldest !== undefined) addresses.delete(oldest)
    },
  }
}
