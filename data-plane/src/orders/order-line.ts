// One order write over a raw socket of our own (RELIABILITY 3): connect first; then the caller claims the intent and
// checks its lease; then, in the same tick, the request is written, once. A timeout resets the TCP connection, so
// that bytes the kernel still holds die with it. No layer here retries.
import { request as httpRequest } from 'node:http'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { authorization, type Credentials, KITE_VERSION, readEnvelope } from '@ticker/shared/kite-http'
import type { Clock } from '../clock.ts'
import type { SendOutcome } from './verdict.ts'

export const ANSWER_TIMEOUT_MS = 7_000
const CONNECT_TIMEOUT_MS = 3_000
const ANSWER_BYTES_MAX = 1_048_576

export interface OrderRequest {
  method: 'POST' | 'PUT' | 'DELETE'
  /** With its query, if any. */
  path: string
  form?: URLSearchParams
}

/** A connected, unused socket to the broker. */
export interface OrderLine {
  /** Writes the one request. `mayWrite` is asked in the same tick as the write; false sends nothing. */
  send(request: OrderRequest, credentials: Credentials, mayWrite: () => boolean): Promise<SendOutcome>
  /** Ends the connection unused. */
  discard(): void
}

/** `root`: of another broker than the one it is made for. */
export type OrderLineFactory = (
  root?: string,
) => Promise<{ ok: true; line: OrderLine } | { ok: false; reason: string }>

/** root: https://api.kite.trade or the simulator's http root, without a trailing slash. */
export function orderLineFactory(root: string, clock: Clock): OrderLineFactory {
  return (ownRoot = root) =>
    new Promise((resolve) => {
      const url = new URL(ownRoot)
      const tls = url.protocol === 'https:'
      const port = Number(url.port || (tls ? 443 : 80))
      // `raw` is the TCP socket: resetting the TLS layer alone would still flush what was queued.
      const raw = connectTcp({ host: url.hostname, port, noDelay: true })
      const socket = tls ? connectTls({ socket: raw, servername: url.hostname }) : raw
      const fail = (reason: string) => {
        cancel()
        raw.destroy()
        resolve({ ok: false, reason })
      }
      const cancel = clock.after(CONNECT_TIMEOUT_MS, () => fail('connect timeout'))
      const onError = (error: Error) =>
        fail('code' in error && typeof error.code === 'string' ? error.code : error.name)
      socket.once('error', onError)
      socket.once(tls ? 'secureConnect' : 'connect', () => {
        cancel()
        socket.off('error', onError)
        // An unused socket may be closed by the broker at any time; send() then sees it as not writable.
        socket.on('error', () => {})
        resolve({ ok: true, line: orderLine(url, raw, socket, clock) })
      })
    })
}

function orderLine(url: URL, raw: Socket, socket: Socket, clock: Clock): OrderLine {
  return {
    discard: () => raw.destroy(),
    send({ method, path, form }, credentials, mayWrite) {
      const body = form?.toString() ?? ''
      const headers = {
        Host: url.host,
        'X-Kite-Version': KITE_VERSION,
        Authorization: authorization(credentials),
        ...(form ? { 'Content-Type': 'application/x-www-form-urlencoded' } : {}),
        'Content-Length': Buffer.byteLength(body),
        Connection: 'close',
      }
      return new Promise<SendOutcome>((resolve) => {
        const finish = (outcome: SendOutcome) => {
          cancel()
          if (outcome.kind === 'no_answer') raw.resetAndDestroy()
          else raw.destroy()
          resolve(outcome)
        }
        const cancel = clock.after(ANSWER_TIMEOUT_MS, () => finish({ kind: 'no_answer', reason: 'timeout' }))
        if (raw.destroyed || !socket.writable)
          return finish({ kind: 'not_sent', reason: 'connection closed' })
        if (!mayWrite()) return finish({ kind: 'not_sent', reason: 'lease or clock check failed' })
        // From here on the broker may have seen it: every failure is "no answer".
        const outgoing = httpRequest({
          createConnection: () => socket,
          method,
          path: `${url.pathname.replace(/\/$/, '')}${path}`,
          headers,
        })
        outgoing.once('error', () => finish({ kind: 'no_answer', reason: 'reset' }))
        outgoing.once('response', (response) => {
          const chunks: Buffer[] = []
          let bytes = 0
          response.on('data', (chunk: Buffer) => {
            bytes += chunk.length
            if (bytes > ANSWER_BYTES_MAX) finish({ kind: 'no_answer', reason: 'too_large' })
            else chunks.push(chunk)
          })
          response.once('error', () => finish({ kind: 'no_answer', reason: 'reset' }))
          response.once('close', () => {
            if (!response.complete) return finish({ kind: 'no_answer', reason: 'reset' })
            const text = Buffer.concat(chunks).toString('utf8')
            finish({ kind: 'answered', outcome: readEnvelope(response.statusCode ?? 0, text) })
          })
        })
        outgoing.end(body)
      })
    },
  }
}
