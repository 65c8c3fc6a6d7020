// What a client's messages do. Every op is answered; a message that cannot be understood gets an error and the
// connection goes on.
import type { InstrumentRef } from '@ticker/shared/domain'
import type { Clock } from '../clock.ts'
import type { TickSource } from '../market-data/runtime.ts'
import { FLUSH_MS, RESUME_WINDOW_MS, type StreamBounds } from './bounds.ts'
import { type StreamClient, tell } from './client.ts'
import type { Delivery } from './delivery.ts'
import { instrumentState } from './instrument-state.ts'
import type { StreamMetrics } from './metrics.ts'
import { type ClientOp, parseClientOp, type StreamErrorCode } from './protocol.ts'

type Subscribe = Extract<ClientOp, { op: 'subscribe' }>
type OpId = string | number | undefined

export interface OpsDeps {
  clock: Clock
  source: TickSource
  bounds: StreamBounds
  metrics: StreamMetrics
  delivery: Delivery
  /** Serves everyone up to now, so that a snapshot starts where the ticks before it end. */
  flush(): void
}

export function createOps(deps: OpsDeps): (client: StreamClient, text: string) => void {
  const { clock, source, delivery } = deps

  function fail(client: StreamClient, id: OpId, code: StreamErrorCode, message: string) {
    deps.metrics.errors.inc({ code })
    tell(client, { op: 'error', id, code, message })
  }

  function resolve(refs: readonly InstrumentRef[]): { tokens: number[]; unknown: InstrumentRef[] } {
    const directory = source.directory()
    const tokens = new Set<number>()
    const unknown: InstrumentRef[] = []
    for (const ref of refs) {
      const found = typeof ref === 'number' ? directory.byToken(ref) : directory.byKey(ref)
      if (found) tokens.add(found.instrument_token)
      else unknown.push(ref)
    }
    return { tokens: [...tokens], unknown }
  }

  function subscribe(client: StreamClient, op: Subscribe) {
    const { tokens, unknown } = resolve(op.instruments)
    const added = tokens.filter((token) => !client.interests.has(token)).length
    const max = deps.bounds.instrumentsPerClientMax
    if (client.interests.size + added > max) {
      return fail(
        client,
        op.id,
        'too_many_instruments',
        `A client may hold ${max} instruments; nothing changed.`,
      )
    }
    deps.flush()
    const instruments = tokens.map((token) => {
      const known = source.directory().byToken(token)
      const { exchange = null, tradingsymbol = null } = known ?? {}
      return { instrument_token: token, exchange, tradingsymbol, state: want(client, token, op) }
    })
    tell(client, { op: 'subscribed', id: op.id, instruments, unknown })
    startFlowing(client, tokens)
  }

  /** Takes note of the interest; a repeated one changes nothing and sends no second snapshot. */
  function want(client: StreamClient, token: number, op: Subscribe) {
    const state = instrumentState(source, client.owner, token)
    const periodMs =
      op.delivery === 'every' ? undefined : Math.max(1, Math.round(1000 / op.rate_hz / FLUSH_MS)) * FLUSH_MS
    const known = client.interests.get(token)
    if (known && known.mode === op.mode && known.periodMs === periodMs) {
      // What the answer says holds from now on: its ticks flow at once, not at the next look at all states.
      if (state !== 'not_subscribed') Object.assign(known, { state, allowed: true })
      return state
    }
    if (known) delivery.end(client, token)
    if (periodMs !== undefined && !client.latest.has(periodMs)) {
      client.latest.set(periodMs, { dueMs: 0, dirty: new Set() })
    }
    const allowed = state !== 'not_subscribed'
    client.interests.set(token, { mode: op.mode, periodMs, allowed, flowing: false, afterSeq: 0, state })
    return state
  }

  function startFlowing(client: StreamClient, tokens: readonly number[]) {
    const { resume } = client
    const resumable = resume && clock.monotonicMs() <= resume.untilMs ? resume : undefined
    const sameStream = resumable?.streamId === source.streamId.toString()
    let lost = false
    for (const token of tokens) {
      const interest = client.interests.get(token)
      if (!interest?.allowed || interest.flowing || client.pending.has(token)) continue
      if (resumable && interest.periodMs === undefined) {
        if (sameStream && delivery.beginAfter(client, token, interest, resumable.seq)) continue
        lost = true
      }
      delivery.begin(client, token, interest)
    }
    if (lost) {
      const reason = sameStream ? 'ring_overrun' : 'stream_restarted'
      const from_seq = sameStream ? (resumable?.seq ?? 0) + 1 : 1
      deps.metrics.gaps.inc({ reason })
      tell(client, { op: 'gap', from_seq, to_seq: delivery.cursor(), reason })
    }
    deps.flush()
  }

  function unsubscribe(client: StreamClient, op: Extract<ClientOp, { op: 'unsubscribe' }>) {
    const { tokens } = resolve(op.instruments)
    // A token that has left the dump meanwhile can still be given up.
    for (const ref of op.instruments) if (typeof ref === 'number') tokens.push(ref)
    const held = [...new Set(tokens)].filter((token) => client.interests.has(token))
    deps.flush()
    for (const token of held) forget(client, token)
    tell(client, { op: 'unsubscribed', id: op.id, instrument_tokens: held })
  }

  function forget(client: StreamClient, token: number) {
    const interest = client.interests.get(token)
    delivery.end(client, token)
    client.interests.delete(token)
    const periodMs = interest?.periodMs
    if (periodMs === undefined) return
    for (const other of client.interests.values()) if (other.periodMs === periodMs) return
    client.latest.delete(periodMs)
  }

  return (client, text) => {
    const parsed = parseClientOp(text)
    if (!parsed.ok) return fail(client, undefined, parsed.code, parsed.message)
    const { op } = parsed
    if (op.op === 'subscribe') subscribe(client, op)
    else if (op.op === 'unsubscribe') unsubscribe(client, op)
    else if (op.op === 'ping') tell(client, { op: 'pong', id: op.id, server_time_ms: clock.nowMs() })
    else if (client.interests.size > 0) {
      fail(client, op.id, 'resume_too_late', 'Send resume before the first subscribe.')
    } else {
      const untilMs = clock.monotonicMs() + RESUME_WINDOW_MS
      client.resume = { streamId: op.stream_id, seq: op.seq, untilMs }
    }
  }
}
