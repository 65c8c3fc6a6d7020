// Who wants which instrument, and one pass over the ring's new packets for all of them together: a tick costs its
// interested clients, not all clients.
import type { Ring } from './ring.ts'

export interface FanOut<Client> {
  add(token: number, client: Client): void
  remove(token: number, client: Client): void
  /** Every packet up to and including this seq has been passed on. */
  cursor(): number
  /**
   * Calls `visit` for each new packet and each client that wants it, in order of seq. When the ring overran the
   * cursor (this process stood still), returns the seqs that nobody was given.
   */
  pass(visit: (seq: number, client: Client) => void): { fromSeq: number; toSeq: number } | undefined
}

export function createFanOut<Client>(ring: Ring): FanOut<Client> {
  const interested = new Map<number, Set<Client>>()
  let cursor = ring.newestSeq()

  return {
    add(token, client) {
      const clients = interested.get(token)
      if (clients) clients.add(client)
      else interested.set(token, new Set([client]))
    },
    remove(token, client) {
      const clients = interested.get(token)
      if (!clients?.delete(client)) return
      if (clients.size === 0) interested.delete(token)
    },
    cursor: () => cursor,
    pass(visit) {
      const newest = ring.newestSeq()
      const oldest = ring.oldestSeq()
      const missed = cursor + 1 < oldest ? { fromSeq: cursor + 1, toSeq: oldest - 1 } : undefined
      // Nobody wants anything: a tick costs nothing here.
      const from = interested.size === 0 ? newest + 1 : Math.max(cursor + 1, oldest)
      for (let seq = from; seq <= newest; seq++) {
        const clients = interested.get(ring.tokenAt(seq))
        if (clients) for (const client of clients) visit(seq, client)
      }
      cursor = newest
      return missed
    },
  }
}
