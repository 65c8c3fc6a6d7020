// What a client's messages do. Every op is answered; a message that cannot be understood gets an error and the
// connection goes on.
import type { InstrumentRef } from '@ticker/shared/domain'
import { packetLengthFor } from '@ticker/shared/kite-wire'
import type { CandleStream } from '../candles/candle-stream.ts'
import type { Clock } from '../clock.ts'
import { NOT_READING } from '../market-data/fan-out.ts'
import type { Holder, HoldRefusal } from '../market-data/interest/client-interest.ts'
import { resolveRefs } from '../market-data/resolve-refs.ts'
import type { TickSource } from '../market-data/runtime.ts'
import {
  CHAINS_MAX,
  CHAINS_PER_CLIENT_MAX,
  CHAINS_PER_OWNER_MAX,
  type ChainLimit,
  type ChainStream,
} from '../option-chain/chain-stream.ts'
import type { OrderStream } from '../order-stream/order-stream.ts'
import { FLUSH_MS, LATEST_STEP_MS, RESUME_WINDOW_MS, type StreamBounds } from './bounds.ts'
import { createCandleOps, TOO_MANY_CANDLES } from './candle-ops.ts'
import { type Interest, type StreamClient, tell } from './client.ts'
import type { Delivery } from './delivery.ts'
import { instrumentState } from './instrument-state.ts'
import { createLatestGroup, type LatestGroup } from './latest-group.ts'
import type { StreamErrorCode } from './messages.ts'
import type { StreamMetrics } from './metrics.ts'
import {
  type ClientOp,
  parseClientOp,
  type Subscribe,
  type SubscribeCandles,
  type SubscribeOrders,
} from './protocol.ts'

const TOO_MANY: Record<HoldRefusal, (client: Holder) => string> = {
  key_limit: ({ instrumentsMax }) =>
    `All connections of the key together may hold ${instrumentsMax} instruments (instruments_max); nothing changed.`,
  process_limit: () => 'All clients together hold as many instruments as fit; nothing changed.',
}

const TOO_MANY_CHAINS: Record<ChainLimit, string> = {
  client_limit: `A client may hold ${CHAINS_PER_CLIENT_MAX} option chains; nothing changed.`,
  owner_limit: `All clients of an owner may hold ${CHAINS_PER_OWNER_MAX} different option chains; nothing changed.`,
  process_limit: `All clients together hold ${CHAINS_MAX} different option chains, as many as fit; nothing changed.`,
}

export const ORDERS_NOT_ALLOWED = 'The ticket does not allow it: make one with a key that has orders:read.'

type ClientOpOf<Word extends ClientOp['op']> = Extract<ClientOp, { op: Word }>
type OpId = string | number | undefined

export interface OpsDeps {
  clock: Clock
  source: TickSource
  bounds: StreamBounds
  metrics: StreamMetrics
  delivery: Delivery
  chains: ChainStream
  candles: CandleStream
  orders: OrderStream
}

export interface Ops {
  receive(client: StreamClient, text: string): void
  apply(client: StreamClient, op: ClientOp): void
  /** Says that an op was not done. */
  fail(client: StreamClient, id: OpId, code: StreamErrorCode, message: string): void
  /** Gives up all that the client wants. */
  forgetAll(client: StreamClient): void
}

export function createOps(deps: OpsDeps): Ops {
  const { clock, source, bounds, metrics, delivery, chains, orders } = deps
  const { interest } = source
  const candleOps = createCandleOps(deps)

  function fail(client: StreamClient, id: OpId, code: StreamErrorCode, message: string) {
    metrics.errors.inc({ code })
    tell(client, { op: 'error', id, code, message })
  }

  function resolve(refs: readonly InstrumentRef[]) {
    const { instruments, unknown } = resolveRefs(source.directory(), refs)
    return { tokens: instruments.map((each) => each.instrument_token), unknown }
  }

  /** Everything before an op goes out first, so that a snapshot starts where the ticks before it end. */
  function upToNow(client: StreamClient) {
    delivery.advance()
    delivery.serve(client)
  }

  function subscribe(client: StreamClient, op: Subscribe) {
    const { instruments: found, unknown } = resolveRefs(source.directory(), op.instruments)
    const tokens = found.map((each) => each.instrument_token)
    const added = tokens.filter((token) => !client.interests.has(token))
    const { instrumentsPerClientMax, interestsMax } = bounds
    if (client.interests.size + added.length > instrumentsPerClientMax) {
      const message = `A client may hold ${instrumentsPerClientMax} instruments; nothing changed.`
      return fail(client, op.id, 'too_many_instruments', message)
    }
    const refusal =
      delivery.interests() + added.length > interestsMax ? 'process_limit' : interest.refusalOf(client, added)
    if (refusal) return fail(client, op.id, 'too_many_instruments', TOO_MANY[refusal](client))
    upToNow(client)
    const instruments = found.map(({ instrument_token, exchange, tradingsymbol }) => {
      const { state, reason } = want(client, instrument_token, op)
      return { instrument_token, exchange, tradingsymbol, state, reason }
    })
    tell(client, { op: 'subscribed', id: op.id, instruments, unknown })
    startFlowing(client, tokens)
  }

  /** Takes note of what is known to fit; what is repeated changes nothing and gets no second snapshot. */
  function want(client: StreamClient, token: number, op: Subscribe): Pick<Interest, 'state' | 'reason'> {
    const known = client.interests.get(token)
    const group = groupOf(client, op)
    if (known && known.group === group) {
      Object.assign(known, instrumentState(source, known.held))
      if (known.mode === op.mode) return known
      interest.change(known.held, known.mode, op.mode)
      Object.assign(known, { mode: op.mode, cut: packetLengthFor(token, op.mode) })
      if (known.flowing) delivery.begin(known)
      return known
    }
    const held = interest.hold(client, token, op.mode)
    if (typeof held === 'string') throw new Error(`no room for what was found to fit: ${held}`)
    // The new hold is there before the old one goes: it is never without.
    if (known) forget(client, known)
    if (group) group.holders += 1
    client.filter = undefined
    const { state, reason } = instrumentState(source, held)
    // No spread: what it adds V8 keeps apart from the object, and there are hundreds of thousands of these.
    const fresh: Interest = {
      place: NOT_READING,
      batch: client.batch,
      cut: packetLengthFor(token, op.mode),
      client,
      lane: delivery.hold(token),
      mode: op.mode,
      group,
      held,
      allowed: held.standing === 'streams',
      flowing: false,
      afterSeq: 0,
      state,
      reason,
    }
    client.interests.set(token, fresh)
    return fresh
  }

  function groupOf(client: StreamClient, op: Subscribe): LatestGroup | undefined {
    if (op.delivery === 'every') return undefined
    const periodMs = Math.max(1, Math.round(1000 / op.rate_hz / FLUSH_MS)) * FLUSH_MS
    const known = client.latest.get(periodMs)
    if (known) return known
    const group = createLatestGroup(periodMs, client.number * LATEST_STEP_MS, clock.monotonicMs())
    client.latest.set(periodMs, group)
    return group
  }

  function startFlowing(client: StreamClient, tokens: readonly number[]) {
    const { resume } = client
    const resumable = resume && clock.monotonicMs() <= resume.untilMs ? resume : undefined
    const sameStream = resumable?.streamId === source.streamId.toString()
    let lost = false
    /** Nothing carried it for this owner at that time. */
    let missing = false
    for (const token of tokens) {
      const wanted = client.interests.get(token)
      if (!wanted || wanted.flowing || client.pending.has(wanted)) continue
      if (resumable && !wanted.group) {
        if (!wanted.allowed || resumable.seq < wanted.held.sinceSeq) missing = true
        else if (sameStream && delivery.beginAfter(wanted, resumable.seq)) continue
        lost = true
      }
      if (wanted.allowed) delivery.begin(wanted)
    }
    if (lost) {
      const reason = !sameStream ? 'stream_restarted' : missing ? 'not_subscribed' : 'ring_overrun'
      const from_seq = sameStream ? (resumable?.seq ?? 0) + 1 : 1
      metrics.gaps.inc({ reason })
      tell(client, { op: 'gap', from_seq, to_seq: delivery.cursor(), reason })
    }
    delivery.serve(client)
  }

  /** A token that has left the dump meanwhile can still be given up. */
  function toGiveUp(refs: readonly InstrumentRef[]): Set<number> {
    return new Set([...resolve(refs).tokens, ...refs.filter((ref) => typeof ref === 'number')])
  }

  function unsubscribe(client: StreamClient, op: ClientOpOf<'unsubscribe'>) {
    upToNow(client)
    const held: number[] = []
    for (const token of toGiveUp(op.instruments)) {
      const wanted = client.interests.get(token)
      if (!wanted) continue
      forget(client, wanted)
      held.push(token)
    }
    tell(client, { op: 'unsubscribed', id: op.id, instrument_tokens: held })
  }

  function forget(client: StreamClient, wanted: Interest) {
    delivery.end(wanted)
    delivery.release(wanted)
    interest.release(client, wanted.held, wanted.mode)
    client.interests.delete(wanted.lane.token)
    const { group } = wanted
    if (!group) return
    group.holders -= 1
    if (group.holders === 0) client.latest.delete(group.periodMs)
  }

  function subscribeChain(client: StreamClient, { op: _, id, ...wish }: ClientOpOf<'subscribe_chain'>) {
    const added = chains.add(client, wish)
    if (typeof added === 'string') return fail(client, id, 'too_many_chains', TOO_MANY_CHAINS[added])
    tell(client, { op: 'chain_subscribed', id, chain_id: added.id })
    added.begin()
  }

  function unsubscribeChain(client: StreamClient, { id, chain_id }: ClientOpOf<'unsubscribe_chain'>) {
    if (chains.remove(client, chain_id)) return tell(client, { op: 'chain_unsubscribed', id, chain_id })
    fail(client, id, 'chain_not_held', 'You hold no chain of that chain_id.')
  }

  function subscribeCandles(client: StreamClient, { id, interval, instruments }: SubscribeCandles) {
    const refused = candleOps.subscribe(client, { id, interval, ...resolve(instruments) })
    if (!refused) return
    if ('candles' in refused) fail(client, id, 'too_many_candles', TOO_MANY_CANDLES[refused.candles])
    else fail(client, id, 'too_many_instruments', TOO_MANY[refused.instruments](client))
  }

  function subscribeOrders(client: StreamClient, { id, accounts, after }: SubscribeOrders) {
    const { orderReader } = client
    if (!orderReader) return fail(client, id, 'orders_not_allowed', ORDERS_NOT_ALLOWED)
    const cursor = after && new Map(Object.entries(after))
    if (!orders.subscribe(orderReader, { id, accounts, after: cursor }))
      fail(client, id, 'orders_held', 'You have orders already: unsubscribe_orders first.')
  }

  function unsubscribeOrders(client: StreamClient, id: OpId) {
    const held = client.orderReader && orders.unsubscribe(client.orderReader)
    if (held) tell(client, { op: 'orders_unsubscribed', id })
    else fail(client, id, 'orders_not_held', 'You have no orders.')
  }

  function apply(client: StreamClient, op: ClientOp) {
    if (op.op === 'subscribe') subscribe(client, op)
    else if (op.op === 'unsubscribe') unsubscribe(client, op)
    else if (op.op === 'subscribe_chain') subscribeChain(client, op)
    else if (op.op === 'unsubscribe_chain') unsubscribeChain(client, op)
    else if (op.op === 'subscribe_candles') subscribeCandles(client, op)
    else if (op.op === 'unsubscribe_candles') {
      const { id, interval, instruments } = op
      candleOps.unsubscribe(client, { id, interval, tokens: [...toGiveUp(instruments)] })
    } else if (op.op === 'subscribe_orders') subscribeOrders(client, op)
    else if (op.op === 'unsubscribe_orders') unsubscribeOrders(client, op.id)
    else if (op.op === 'ping') tell(client, { op: 'pong', id: op.id, server_time_ms: clock.nowMs() })
    else if (client.interests.size > 0) {
      fail(client, op.id, 'resume_too_late', 'Send resume before the first subscribe.')
    } else {
      const untilMs = clock.monotonicMs() + RESUME_WINDOW_MS
      client.resume = { streamId: op.stream_id, seq: op.seq, untilMs }
    }
  }

  return {
    apply,
    fail,
    receive(client, text) {
      const parsed = parseClientOp(text)
      if (parsed.ok) apply(client, parsed.op)
      else fail(client, undefined, parsed.code, parsed.message)
    },
    forgetAll(client) {
      chains.removeAll(client)
      candleOps.forgetAll(client)
      if (client.orderReader) orders.unsubscribe(client.orderReader)
      for (const wanted of [...client.interests.values()]) forget(client, wanted)
    },
  }
}
