// A WebSocket client that reads everything and keeps of each message only its beginning: the clients of `fan-out` must
// cost less than the server that is measured. Answers pings; sends text.
import { createConnection, type Socket } from 'node:net'

const HEAD_BYTES = 640
const [TEXT, PING, PONG] = [1, 9, 10]

export interface CheapSocket {
  send(text: string): void
  /** Reads no more. */
  stall(): void
  close(): void
}

/** `onMessage` is given the first bytes of a message, good during the call, and the whole length. */
export function openCheapSocket(
  url: URL,
  protocols: readonly string[],
  events: {
    open(): void
    message(head: Buffer, length: number, isBinary: boolean): void
    failed(reason: string): void
  },
): CheapSocket {
  const socket = createConnection({ host: url.hostname, port: Number(url.port), noDelay: true })
  const offered = protocols.length > 0 ? `Sec-WebSocket-Protocol: ${protocols.join(', ')}\r\n` : ''
  socket.write(
    `GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n${offered}\r\n`,
  )
  let open = false
  /** What came and is not read yet: less than a frame's header, or than a head. */
  let rest: Buffer = Buffer.alloc(0)
  /** Of the message whose head was read. */
  let skip = 0

  function upgraded(): boolean {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) return false
    if (!rest.subarray(0, 12).toString('latin1').endsWith('101')) {
      events.failed(rest.subarray(0, 20).toString('latin1'))
      return false
    }
    rest = rest.subarray(end + 4)
    open = true
    events.open()
    return true
  }

  /** Reads frames until one is not there in full; true when it got on. */
  function readFrame(): boolean {
    if (rest.length < 2) return false
    const short = (rest[1] ?? 0) & 0x7f
    const headerBytes = short === 127 ? 10 : short === 126 ? 4 : 2
    if (rest.length < headerBytes) return false
    const length =
      short === 127 ? Number(rest.readBigUInt64BE(2)) : short === 126 ? rest.readUInt16BE(2) : short
    const headLength = Math.min(length, HEAD_BYTES)
    if (rest.length < headerBytes + headLength) return false
    const opcode = (rest[0] ?? 0) & 0x0f
    const head = rest.subarray(headerBytes, headerBytes + headLength)
    if (opcode === PING) write(socket, PONG, head)
    else if (opcode <= 2) events.message(head, length, opcode === 2)
    const left = rest.length - headerBytes - length
    skip = Math.max(0, -left)
    rest = left > 0 ? rest.subarray(headerBytes + length) : Buffer.alloc(0)
    return true
  }

  socket.on('data', (chunk: Buffer) => {
    if (skip >= chunk.length) {
      skip -= chunk.length
      return
    }
    const fresh = chunk.subarray(skip)
    skip = 0
    rest = rest.length === 0 ? fresh : Buffer.concat([rest, fresh])
    if (!open && !upgraded()) return
    while (skip === 0 && readFrame());
    // The chunk's memory is used again for the next one.
    rest = Buffer.from(rest)
  })
  socket.on('error', (error) => events.failed(error.message))
  return {
    send: (text) => write(socket, TEXT, Buffer.from(text)),
    stall: () => socket.pause(),
    close: () => socket.destroy(),
  }
}

/** Masked with zeros, as nothing here is confidential. */
function write(socket: Socket, opcode: number, payload: Buffer) {
  const header =
    payload.length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0])
      : Buffer.from([0x80 | opcode, 0xfe, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0])
  socket.write(Buffer.concat([header, payload]))
}
