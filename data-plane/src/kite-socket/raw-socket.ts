// The only place that opens an upstream socket: `ws`, without compression, bounded frames, no automatic anything.
// A seam, so that the connection's state machine is tested without a network.
import { type RawData, WebSocket } from 'ws'

export interface RawSocketEvents {
  open(): void
  binary(bytes: Uint8Array): void
  text(text: string): void
  /** The upgrade was answered with an HTTP status other than 101. No `closed` follows. */
  refused(status: number): void
  /** Ended for any other reason, once; `reason` carries no URL and no credential. */
  closed(reason: string): void
}

export interface RawSocket {
  send(text: string): void
  /** Drops the connection at once; no event follows. */
  terminate(): void
}

export type OpenRawSocket = (url: string, events: RawSocketEvents) => RawSocket

/** A full container of 3,000 full packets is 558 kB. */
const FRAME_MAX_BYTES = 4 * 1024 * 1024

export const openWebSocket: OpenRawSocket = (url, events) => {
  let over = false
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: FRAME_MAX_BYTES,
    followRedirects: false,
    headers: { 'X-Kite-Version': '3' },
  })
  socket.binaryType = 'nodebuffer'
  const end = (report: () => void) => {
    if (over) return
    over = true
    report()
    socket.terminate()
  }
  socket.on('open', () => !over && events.open())
  socket.on('message', (message, isBinary) => {
    if (over) return
    const bytes = bufferOf(message)
    if (isBinary) events.binary(bytes)
    else events.text(bytes.toString('utf8'))
  })
  socket.on('unexpected-response', (_request, response) => {
    response.resume()
    end(() => events.refused(response.statusCode ?? 0))
  })
  socket.on('error', (error) => end(() => events.closed('code' in error ? String(error.code) : error.name)))
  socket.on('close', (code) => end(() => events.closed(`close ${code}`)))
  return {
    send(text) {
      if (!over && socket.readyState === WebSocket.OPEN) socket.send(text)
    },
    terminate: () => end(() => {}),
  }
}

function bufferOf(message: RawData): Buffer {
  if (Buffer.isBuffer(message)) return message
  return Array.isArray(message) ? Buffer.concat(message) : Buffer.from(message)
}
