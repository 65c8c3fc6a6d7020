import type { IncomingMessage, Server } from 'node:http'
import type { Duplex } from 'node:stream'
import { refuseUpgrade } from './upgrade.ts'

/** Takes the upgrade and answers true, or leaves it to the next. */
export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => boolean

/** Offers each upgrade to the handlers in order; a path that nobody serves gets 404. */
export function routeUpgrades(server: Server, handlers: readonly UpgradeHandler[]): void {
  server.on('upgrade', (request, socket, head) => {
    // Before anything else: a reset on a socket without a listener would end the process.
    destroyOnError(socket)
    if (handlers.some((handle) => handle(request, socket, head))) return
    refuseUpgrade(socket, 404, 'Nothing is served here.')
  })
}

/** Apart, because its closure lives as long as the socket: beside the handler's it would keep the request as long. */
function destroyOnError(socket: Duplex) {
  socket.on('error', () => socket.destroy())
}
