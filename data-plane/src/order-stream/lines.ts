// Where every client of the order stream stands: for each account, who is brought up to which number. Clients at the same
// number are served by one page; those that have caught up are all at the last one.
import type { LogHead } from './event-reads.ts'

export interface Positioned {
  /** By account, the seq of the last event that was sent. */
  readonly cursor: Map<string, number>
}

export interface Line<Client extends Positioned> {
  readonly accountId: string
  head: LogHead
  readonly at: Map<number, Set<Client>>
}

export class Lines<Client extends Positioned> {
  readonly #lines = new Map<string, Line<Client>>()
  #cursors = 0

  /** Accounts of all clients, each client counted. */
  get cursors() {
    return this.#cursors
  }

  of(accountId: string): Line<Client> | undefined {
    return this.#lines.get(accountId)
  }

  all(): Iterable<Line<Client>> {
    return this.#lines.values()
  }

  place(client: Client, head: LogHead, seq: number) {
    const line = this.#lines.get(head.accountId) ?? { accountId: head.accountId, head, at: new Map() }
    this.#lines.set(head.accountId, line)
    this.#cursors += 1
    client.cursor.set(head.accountId, seq)
    join(line, client, seq)
  }

  move(line: Line<Client>, client: Client, from: number, to: number) {
    leave(line, client, from)
    client.cursor.set(line.accountId, to)
    join(line, client, to)
  }

  /** Others come first next time. */
  toTheEnd(line: Line<Client>) {
    if (this.#lines.delete(line.accountId)) this.#lines.set(line.accountId, line)
  }

  remove(client: Client, accountId: string) {
    const line = this.#lines.get(accountId)
    const seq = client.cursor.get(accountId)
    if (!line || seq === undefined) return
    leave(line, client, seq)
    client.cursor.delete(accountId)
    this.#cursors -= 1
    if (line.at.size === 0) this.#lines.delete(accountId)
  }
}

function join<Client extends Positioned>(line: Line<Client>, client: Client, seq: number) {
  const there = line.at.get(seq)
  if (there) there.add(client)
  else line.at.set(seq, new Set([client]))
}

function leave<Client extends Positioned>({ at }: Line<Client>, client: Client, seq: number) {
  const there = at.get(seq)
  there?.delete(client)
  if (there?.size === 0) at.delete(seq)
}
