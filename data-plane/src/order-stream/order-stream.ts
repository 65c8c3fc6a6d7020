// What happens to orders, as a channel of /v1/stream: from a cursor on, each event of each account once and in order. The log in
// Postgres is the only source, so any instance serves any account, and what was written while nobody listened comes all the
// same; one reader of it for all clients. Nothing is skipped in silence: what is not there is a gap, a log that cannot be read is
// said, and a client that does not read is closed, to go on from its cursor.
import type { AccountOrderEvent } from '@ticker/shared/domain'
import type { Clock } from '../clock.ts'
import type { OrderMessage } from '../stream/messages.ts'
import { ORDER_STREAM_BOUNDS, type OrderStreamBounds } from './bounds.ts'
import type { OrderCursor } from './cursor.ts'
import type { EventReads, LogHead } from './event-reads.ts'
import { type Line, Lines } from './lines.ts'
import type { OrderStreamMetrics } from './metrics.ts'

export interface OrderReader {
  readonly owner: string
  /** null: every account of the owner. */
  readonly accountIds: ReadonlySet<string> | null
  readonly socket: { bufferedBytes(): number }
  /** Sends a message that is JSON already; `cursor`: how far it brings the client. */
  say(op: OrderMessage['op'], json: string, cursor: OrderCursor): void
  refuse(id: OrderWish['id'], message: string): void
  /** Closes the client: it does not read. */
  behind(): void
}

export interface OrderWish {
  id: string | number | undefined
  /** undefined: all that the reader may see, those to come too. */
  accounts: readonly string[] | undefined
  /** undefined: from now on. What it does not name is new since, and comes from its beginning. */
  after: OrderCursor | undefined
}

export interface OrderStream {
  /** Answered within a moment. false: the reader has orders already. */
  subscribe(reader: OrderReader, wish: OrderWish): boolean
  /** false: it had none. */
  unsubscribe(reader: OrderReader): boolean
  /** Something was written to the log. */
  wake(): void
  /** Supervised loop. */
  run(signal: AbortSignal, isWell: () => void): Promise<void>
}

interface Client {
  readonly reader: OrderReader
  readonly wish: OrderWish
  readonly only: ReadonlySet<string> | undefined
  readonly cursor: Map<string, number>
  /** Since when it has not read what it was sent. */
  pausedMs: number | undefined
}

type ClientLine = Line<Client>

export function createOrderStream(deps: {
  clock: Clock
  reads: EventReads
  metrics: OrderStreamMetrics
  bounds?: OrderStreamBounds
}): OrderStream {
  const { clock, reads, metrics, bounds = ORDER_STREAM_BOUNDS } = deps
  const clients = new Map<OrderReader, Client>()
  /** Not answered yet. */
  const joining = new Set<Client>()
  const lines = new Lines<Client>()
  const known = new Map<string, Set<string>>()
  let woken = new AbortController()
  let isStale = false

  function tell({ reader, cursor }: Client, message: OrderMessage) {
    reader.say(message.op, JSON.stringify(message), cursor)
  }

  function count() {
    metrics.clients.set(clients.size)
    metrics.cursors.set(lines.cursors)
  }

  function forget(client: Client) {
    clients.delete(client.reader)
    joining.delete(client)
    for (const accountId of [...client.cursor.keys()]) lines.remove(client, accountId)
    count()
  }

  function setStale(stale: boolean) {
    if (stale === isStale) return
    isStale = stale
    metrics.stale.set(stale ? 1 : 0)
    for (const client of clients.values())
      tell(client, { op: 'orders_state', state: stale ? 'stale' : 'live' })
  }

  const maySee = ({ reader, only }: Client, accountId: string) =>
    (!only || only.has(accountId)) && (!reader.accountIds || reader.accountIds.has(accountId))

  function refusal(client: Client, accounts: number): string | undefined {
    const { accountsPerClientMax, cursorsMax } = bounds
    if (client.cursor.size + accounts > accountsPerClientMax)
      return `A connection may have the orders of ${accountsPerClientMax} accounts: name some in accounts.`
    if (lines.cursors + accounts > cursorsMax)
      return 'All connections together have the orders of as many accounts as fit.'
    return undefined
  }

  function refuse(client: Client, message: string) {
    metrics.refused.inc()
    forget(client)
    client.reader.refuse(client.wish.id, message)
  }

  /** Begins at the cursor, or at the end of the log: a cursor may be of a log that has lost its last commits. */
  function admit(client: Client, heads: readonly LogHead[]) {
    const { after, accounts, id } = client.wish
    const seen = heads.filter(({ accountId, deleted }) => !deleted && maySee(client, accountId))
    const refused = refusal(client, seen.length)
    if (refused !== undefined) return refuse(client, refused)
    joining.delete(client)
    const placed = seen.map((head) => ({ head, wanted: after ? (after.get(head.accountId) ?? 0) : head.seq }))
    for (const { head, wanted } of placed) lines.place(client, head, Math.min(wanted, head.seq))
    const named = new Set([...(accounts ?? []), ...(after?.keys() ?? [])])
    const unknown = [...named].filter((accountId) => !client.cursor.has(accountId))
    tell(client, { op: 'orders_subscribed', id, accounts: Object.fromEntries(client.cursor), unknown })
    for (const { head, wanted } of placed)
      if (wanted > head.seq) gap(client, head.accountId, head.seq + 1, wanted, 'ahead_of_log')
  }

  /** An account that is new belongs to those who have all, from its first event. */
  function admitNew(heads: ReadonlyMap<string, LogHead[]>) {
    for (const [owner, ofOwner] of heads) {
      const before = known.get(owner)
      known.set(owner, new Set(ofOwner.map(({ accountId }) => accountId)))
      const fresh = before
        ? ofOwner.filter(({ accountId, deleted }) => !deleted && !before.has(accountId))
        : []
      if (fresh.length === 0) continue
      for (const client of clients.values()) {
        if (client.reader.owner !== owner || joining.has(client)) continue
        const added = fresh.filter(
          ({ accountId }) => maySee(client, accountId) && !client.cursor.has(accountId),
        )
        const refused = refusal(client, added.length)
        if (refused !== undefined) refuse(client, refused)
        else for (const head of added) lines.place(client, head, 0)
      }
    }
  }

  function gap(
    client: Client,
    accountId: string,
    from: number,
    to: number,
    reason: 'not_kept' | 'ahead_of_log',
  ) {
    metrics.gaps.inc({ reason })
    tell(client, { op: 'orders_gap', account_id: accountId, from_seq: from, to_seq: to, reason })
  }

  function look(line: ClientLine, head: LogHead | undefined) {
    const gone = head === undefined
    line.head = head ?? line.head
    for (const [seq, group] of [...line.at])
      for (const client of [...group]) {
        if (gone || (line.head.deleted && seq >= line.head.seq)) {
          lines.remove(client, line.accountId)
          tell(client, { op: 'orders_ended', account_id: line.accountId, seq })
        } else if (seq > line.head.seq) {
          lines.move(line, client, seq, line.head.seq)
          gap(client, line.accountId, line.head.seq + 1, seq, 'ahead_of_log')
        }
      }
  }

  /** Whether it is read for now; it is closed when it has not read for too long. */
  function isReading(client: Client): boolean {
    const nowMs = clock.monotonicMs()
    if (client.reader.socket.bufferedBytes() <= bounds.pauseAboveBytes) client.pausedMs = undefined
    else client.pausedMs ??= nowMs
    if (client.pausedMs === undefined) return true
    if (nowMs - client.pausedMs > bounds.behindMaxMs) {
      metrics.behind.inc()
      forget(client)
      client.reader.behind()
    }
    return false
  }

  /** The next of each account in turn: nobody who is far behind keeps others waiting, and nobody waits for ever. */
  function due(): { line: ClientLine; after: number }[] {
    const waiting = [...lines.all()]
      .map((line) => ({ line, afters: duesOf(line) }))
      .filter(({ afters }) => afters.length > 0)
    const chosen: { line: ClientLine; after: number }[] = []
    for (let round = 0; chosen.length < bounds.pagesPerPassMax; round += 1) {
      const before = chosen.length
      for (const { line, afters } of waiting) {
        const after = afters[round]
        if (after !== undefined && chosen.length < bounds.pagesPerPassMax) chosen.push({ line, after })
      }
      if (chosen.length === before) break
    }
    for (const { line } of chosen) lines.toTheEnd(line)
    return chosen
  }

  /** Who was served is at a new number, behind those who were not. */
  function duesOf({ at, head }: ClientLine): number[] {
    return [...at].flatMap(([seq, group]) =>
      seq < head.seq && [...group].filter(isReading).length > 0 ? [seq] : [],
    )
  }

  function serve(line: ClientLine, after: number, events: readonly AccountOrderEvent[], isLive: boolean) {
    const group = [...(line.at.get(after) ?? [])].filter(isReading)
    const { accountId } = line
    let seq = after
    function bring(to: number, message: OrderMessage | undefined) {
      if (to > seq + 1 || !message) {
        const last = message ? to - 1 : to
        for (const client of group) {
          client.cursor.set(accountId, last)
          gap(client, accountId, seq + 1, last, 'not_kept')
        }
      }
      seq = to
      if (!message) return
      const json = JSON.stringify(message)
      for (const client of group) {
        client.cursor.set(accountId, to)
        client.reader.say(message.op, json, client.cursor)
      }
    }
    for (const event of events) {
      bring(event.seq, { op: 'order_event', ...event })
      if (isLive) metrics.latencyMs.observe(Math.max(0, clock.nowMs() - Date.parse(event.at)))
    }
    if (events.length < bounds.eventsPerPageMax && seq < line.head.seq) bring(line.head.seq, undefined)
    metrics.sent.inc(events.length * group.length)
    for (const client of group) lines.move(line, client, after, seq)
  }

  /** true: there is more at once. */
  async function pass(): Promise<boolean> {
    const now = [...joining]
    const owners = new Set([...clients.values()].map(({ reader }) => reader.owner))
    for (const owner of known.keys()) if (!owners.has(owner)) known.delete(owner)
    const heads = await reads.heads([...owners])
    const before = new Map([...lines.all()].map((line) => [line, line.head.seq]))
    const ofOwner = Map.groupBy(heads, ({ owner }) => owner)
    const byId = new Map(heads.map((head) => [head.accountId, head]))
    for (const line of [...lines.all()]) {
      const head = byId.get(line.accountId)
      look(line, head?.owner === line.head.owner ? head : undefined)
    }
    admitNew(ofOwner)
    for (const client of now) if (joining.has(client)) admit(client, ofOwner.get(client.reader.owner) ?? [])
    count()
    const asked = due()
    if (asked.length === 0) return false
    const pages = await reads.pages(
      asked.map(({ line, after }) => ({ accountId: line.accountId, after })),
      bounds.eventsPerPageMax,
    )
    for (const { accountId, after, events } of pages) {
      const line = lines.of(accountId)
      if (line) serve(line, after, events, before.get(line) === after)
    }
    return true
  }

  return {
    subscribe(reader, wish) {
      if (clients.has(reader)) return false
      const only = wish.accounts && new Set(wish.accounts)
      const client: Client = { reader, wish, only, cursor: new Map(), pausedMs: undefined }
      clients.set(reader, client)
      joining.add(client)
      count()
      if (isStale) tell(client, { op: 'orders_state', state: 'stale' })
      woken.abort()
      return true
    },
    unsubscribe(reader) {
      const client = clients.get(reader)
      if (client) forget(client)
      return client !== undefined
    },
    wake: () => woken.abort(),
    async run(signal, isWell) {
      while (!signal.aborted) {
        // Before it looks: who wakes it while it looks must not be overheard.
        woken = new AbortController()
        let more = false
        if (clients.size > 0) {
          const startedMs = clock.monotonicMs()
          const stopWatch = clock.after(bounds.staleAfterMs, () => setStale(true))
          try {
            more = await pass()
          } catch (error) {
            setStale(true)
            throw error
          } finally {
            stopWatch()
          }
          setStale(false)
          metrics.passMs.observe(clock.monotonicMs() - startedMs)
        }
        isWell()
        await clock.sleep(bounds.pauseMs, signal)
        if (!more) await clock.sleep(bounds.lookEveryMs, AbortSignal.any([signal, woken.signal]))
      }
    },
  }
}
