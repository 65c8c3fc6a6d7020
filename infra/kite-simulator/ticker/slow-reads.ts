// The `slow_read` fault: the client's bytes are read at a given pace, or not at all, and wait in the kernel until its
// sends block. Node reads up to 64 kB at a time, so the pace holds on average, not within a moment. Meanwhile the
// end of the connection is not noticed either.
import type { Faults } from '../faults/faults.ts'
import type { TickerSocket } from './ticker-socket.ts'

type Budget = { allowedBytes: number }

export class SlowReads {
  readonly #faults: Faults
  readonly #slowed = new Map<TickerSocket, Budget>()

  constructor(faults: Faults) {
    this.#faults = faults
  }

  /** Called when a fault was armed, with 0, and every few milliseconds. */
  pulse(sockets: ReadonlySet<TickerSocket>, elapsedMs: number): void {
    if (this.#faults.none && this.#slowed.size === 0) return
    for (const socket of this.#slowed.keys()) if (!sockets.has(socket)) this.#slowed.delete(socket)
    for (const socket of sockets) {
      const fault = this.#faults.on('slow_read', socket)
      if (fault === null) this.#release(socket)
      else this.#slow(socket, (fault.bytes_per_s * elapsedMs) / 1000)
    }
  }

  #slow(socket: TickerSocket, moreBytes: number): void {
    const budget = this.#slowed.get(socket) ?? this.#begin(socket)
    budget.allowedBytes += moreBytes
    socket.setReading(socket.bytesRead < budget.allowedBytes)
  }

  #begin(socket: TickerSocket): Budget {
    const budget = { allowedBytes: socket.bytesRead }
    this.#slowed.set(socket, budget)
    socket.watchReads(() => {
      if (socket.bytesRead >= budget.allowedBytes) socket.setReading(false)
    })
    return budget
  }

  #release(socket: TickerSocket): void {
    if (!this.#slowed.delete(socket)) return
    socket.watchReads(null)
    socket.setReading(true)
  }
}
