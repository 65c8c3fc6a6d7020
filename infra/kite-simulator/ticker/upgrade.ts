// The door of the ticker: who may open a socket is decided before the handshake, with the broker's HTTP answers.
import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import type { Faults } from '../faults/faults.ts'
import type { UserStore } from '../users/user-store.ts'
import type { TickerServer } from './ticker-server.ts'

const MESSAGE_BYTES_MAX = 1024 * 1024

type Refusal = {
  status: '403 Forbidden' | '404 Not Found' | '429 Too Many Requests'
  message: string
  error_type: string
}

export function upgradeHandler(users: UserStore, ticker: TickerServer, faults: Faults) {
  const server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: MESSAGE_BYTES_MAX,
  })
  return (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy())
    const url = new URL(request.url ?? '/', 'http://simulator')
    const apiKey = url.searchParams.get('api_key') ?? ''
    const user = users.authenticate(apiKey, url.searchParams.get('access_token') ?? '')
    const refusal = refusalOf(url.pathname)
    if (refusal !== null || user === null || !(socket instanceof Socket)) {
      refuse(socket, refusal ?? forbidden())
      return
    }
    server.handleUpgrade(request, socket, head, (webSocket) => ticker.accept(webSocket, socket, user))

    function refusalOf(path: string): Refusal | null {
      if (path !== '/')
        return { status: '404 Not Found', message: 'Route not found', error_type: 'GeneralException' }
      if (user === null || faults.take('upgrade_403', user.user_id) !== null) return forbidden()
      const throttled = faults.take('upgrade_429', user.user_id) !== null
      if (!throttled && ticker.hasRoom(apiKey)) return null
      return { status: '429 Too Many Requests', message: 'Too many requests', error_type: 'NetworkException' }
    }
  }
}

function forbidden(): Refusal {
  return {
    status: '403 Forbidden',
    message: 'Incorrect `api_key` or `access_token`.',
    error_type: 'TokenException',
  }
}

function refuse(socket: Duplex, { status, message, error_type }: Refusal): void {
  const body = JSON.stringify({ status: 'error', message, data: null, error_type })
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  )
}
