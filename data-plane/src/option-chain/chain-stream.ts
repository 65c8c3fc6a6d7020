// Option chains as a channel of /v1/stream: what clients of an owner ask for in the same words is computed and written
// once, at its interval, and sent to all of them. One chain at a time, with the loop free in between: ticks and orders do
// not wait for chains, chains become rarer when there are too many.
import type { ChainRefusal, OptionChain, OptionChainRequest } from '@ticker/shared/domain'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { OptionChains } from './option-chains.ts'

export const CHAINS_PER_CLIENT_MAX = 8
/** Different ones, of all clients together. */
export const CHAINS_MAX = 100
/** Of them, those of one owner: no two owners together keep out everybody else. */
export const CHAINS_PER_OWNER_MAX = 40
/** How often it is looked at what is due. */
const LOOK_EVERY_MS = 50
const PAUSE_MIN_MS = 5
/** Sent a chain in one go; then the loop is free for a moment. */
const READERS_A_TURN = 50
/** After a chain as long as it took, this many times: chains have a fifth of the time at most. */
const PAUSE_TIMES = 4

export interface ChainReader {
  readonly owner: string
  readonly socket: { sendText(utf8: Uint8Array): void; bufferedBytes(): number }
}

export interface ChainWish extends OptionChainRequest {
  every_s: number
}

export type ChainMessage =
  | { op: 'chain_unavailable'; chain_id: string; reason: ChainRefusal; detail: string }
  | { op: 'chain'; chain_id: string; chain: OptionChain }

export type ChainLimit = 'client_limit' | 'owner_limit' | 'process_limit'

export interface ChainStream {
  /** The chain's id, the same for the same wish; what it is comes at once when it is known, else within a moment. */
  add(reader: ChainReader, wish: ChainWish): { id: string; begin(): void } | ChainLimit
  /** False: the reader has no chain of that id. */
  remove(reader: ChainReader, id: string): boolean
  removeAll(reader: ChainReader): void
  /** Supervised loop. */
  run(signal: AbortSignal): Promise<void>
}

interface Entry {
  id: string
  key: string
  owner: string
  wish: ChainWish
  dueMs: number
  readers: Set<ChainReader>
  last: Said | undefined
}

/** A message as it was sent, and why it is no chain. */
interface Said {
  text: Uint8Array
  refusal: string | undefined
}

export function createChainStream(deps: {
  clock: Clock
  registry: Registry
  chains: OptionChains
  /** A client with more than this to read is passed over. */
  conflateAboveBytes: number
  chainsMax?: number
}): ChainStream {
  const { clock, chains, conflateAboveBytes, chainsMax = CHAINS_MAX } = deps
  const entries = new Map<string, Entry>()
  const ofReader = new Map<ChainReader, Map<string, Entry>>()
  const metrics = createMetrics(deps.registry, () => entries.size)
  let made = 0

  function entryOf(owner: string, wish: ChainWish): Entry | ChainLimit {
    const key = keyOf(owner, wish)
    const known = entries.get(key)
    if (known) return known
    if (entries.size >= chainsMax) return 'process_limit'
    const ofOwner = [...entries.values()].filter((entry) => entry.owner === owner)
    if (ofOwner.length >= CHAINS_PER_OWNER_MAX) return 'owner_limit'
    made += 1
    const dueMs = clock.monotonicMs()
    const entry = {
      id: String(made),
      key,
      owner,
      wish,
      dueMs,
      readers: new Set<ChainReader>(),
      last: undefined,
    }
    entries.set(key, entry)
    return entry
  }

  function compose({ id, owner, wish }: Entry): Said {
    const { every_s: _, ...request } = wish
    const outcome = chains.read(owner, request)
    const message: ChainMessage = outcome.ok
      ? { op: 'chain', chain_id: id, chain: outcome.chain }
      : { op: 'chain_unavailable', chain_id: id, reason: outcome.refusal, detail: outcome.detail }
    return { text: Buffer.from(JSON.stringify(message)), refusal: outcome.ok ? undefined : outcome.detail }
  }

  function send(reader: ChainReader, { text, refusal }: Said) {
    // The next chain takes the place of one that is left out; why there is none is said only once.
    const isDue = refusal !== undefined || reader.socket.bufferedBytes() <= conflateAboveBytes
    if (isDue) reader.socket.sendText(text)
    metrics[isDue ? 'sent' : 'skipped'].inc()
  }

  /** Returns how long it kept the loop busy: so many readers are not served in one go. */
  async function publish(entry: Entry, signal: AbortSignal): Promise<number> {
    let [busyMs, beganMs] = [0, clock.monotonicMs()]
    const before = entry.last?.refusal
    entry.dueMs = clock.monotonicMs() + entry.wish.every_s * 1_000
    entry.last = compose(entry)
    // Why there is none is said once.
    const isNews = entry.last.refusal === undefined || entry.last.refusal !== before
    let left = READERS_A_TURN
    // Who joins meanwhile is sent this one on joining.
    for (const reader of isNews ? [...entry.readers] : []) {
      if (!entry.readers.has(reader)) continue
      send(reader, entry.last)
      left -= 1
      if (left > 0) continue
      left = READERS_A_TURN
      busyMs += clock.monotonicMs() - beganMs
      await clock.sleep(PAUSE_MIN_MS, signal)
      beganMs = clock.monotonicMs()
    }
    return busyMs + clock.monotonicMs() - beganMs
  }

  function nextDue(): Entry | undefined {
    let due: Entry | undefined
    for (const entry of entries.values()) if (!due || entry.dueMs < due.dueMs) due = entry
    return due && due.dueMs <= clock.monotonicMs() ? due : undefined
  }

  function forget(reader: ChainReader, entry: Entry) {
    entry.readers.delete(reader)
    if (entry.readers.size === 0) entries.delete(entry.key)
  }

  return {
    add(reader, asked) {
      const wish = chains.spelledOut(asked)
      const own = ofReader.get(reader) ?? new Map<string, Entry>()
      const isHeld = entries.get(keyOf(reader.owner, wish))?.readers.has(reader)
      const entry =
        !isHeld && own.size >= CHAINS_PER_CLIENT_MAX ? 'client_limit' : entryOf(reader.owner, wish)
      if (typeof entry === 'string') {
        metrics.refused.inc({ reason: entry })
        return entry
      }
      own.set(entry.id, entry)
      ofReader.set(reader, own)
      entry.readers.add(reader)
      return {
        id: entry.id,
        begin() {
          if (entry.last) send(reader, entry.last)
        },
      }
    },
    remove(reader, id) {
      const own = ofReader.get(reader)
      const entry = own?.get(id)
      if (!own || !entry) return false
      forget(reader, entry)
      own.delete(id)
      if (own.size === 0) ofReader.delete(reader)
      return true
    },
    removeAll(reader) {
      for (const entry of ofReader.get(reader)?.values() ?? []) forget(reader, entry)
      ofReader.delete(reader)
    },
    async run(signal) {
      while (!signal.aborted) {
        const due = nextDue()
        const tookMs = due ? await publish(due, signal) : 0
        await clock.sleep(due ? Math.max(PAUSE_MIN_MS, PAUSE_TIMES * tookMs) : LOOK_EVERY_MS, signal)
      }
    },
  }
}

/** The same for the same wish, whatever the order of its fields. */
function keyOf(owner: string, wish: ChainWish): string {
  const { underlying, exchange, expiry, strikes, model, rate, dividend_yield, every_s } = wish
  return JSON.stringify([owner, underlying, exchange, expiry, strikes, model, rate, dividend_yield, every_s])
}

function createMetrics(registry: Registry, size: () => number) {
  const registers = [registry]
  new Gauge({
    name: 'ticker_stream_chains',
    help: 'Different option chains that stream clients hold',
    registers,
    collect() {
      this.set(size())
    },
  })
  return {
    refused: new Counter({
      name: 'ticker_stream_chains_refused_total',
      help: 'Option chains that a stream client could not have, by the bound',
      labelNames: ['reason'],
      registers,
    }),
    sent: new Counter({
      name: 'ticker_stream_chain_messages_total',
      help: 'Option chains sent to stream clients',
      registers,
    }),
    skipped: new Counter({
      name: 'ticker_stream_chain_messages_skipped_total',
      help: 'Option chains not sent to a client that had too much to read already',
      registers,
    }),
  }
}
