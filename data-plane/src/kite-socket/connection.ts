// One upstream socket, kept open: connects, resubscribes its whole target before it reports ready, notices silence,
// backs off with jitter, parks when the broker refuses its session. A changed target is sent as a difference;
// nothing is ever reconnected to apply one. The access token is revealed only while connecting, and never logged.
import type { Mode } from '@ticker/shared/kite-wire'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import type { BrokerSession } from '../ownership/owned-account.ts'
import { type Activity, createActivity } from './activity.ts'
import { backoffMs, RECONNECT_BACKOFF, TOO_MANY_SOCKETS_BACKOFF } from './backoff.ts'
import type { DisconnectReason, KiteSocketMetrics } from './metrics.ts'
import type { OpenRawSocket, RawSocket } from './raw-socket.ts'
import { differenceOf, framesOf, type Target } from './subscription-frames.ts'
import { parseTextFrame } from './text-frame.ts'

export const HANDSHAKE_TIMEOUT_MS = 10_000
/** Any frame counts; the broker sends a heartbeat at least every couple of seconds (KITE.md 1.3). */
export const READ_TIMEOUT_MS = 5_000
/** Refusals (403) of one session version, over all sockets of the account, before they wait for another. */
export const REFUSALS_MAX = 3

/** Shared by the connections of one account, so that three sockets do not try a dead token three times each. */
export interface SessionRefusals {
  version: number
  count: number
}

type State =
  | { kind: 'connecting'; socket: RawSocket; cancelTimeout: () => void }
  | { kind: 'open'; socket: RawSocket; subscribed: Target; cancelSilence: () => void }
  | { kind: 'backoff'; cancelRetry: () => void }
  | { kind: 'parked' }
  | { kind: 'stopped' }

export type ConnectionStateName = State['kind']

export interface ConnectionEvents {
  binary(bytes: Uint8Array, receivedMs: number, activity: Activity): void
  order(order: Record<string, unknown>): void
  /** The whole target is subscribed. `resumed`: it had been open before, so something may have been missed. */
  ready(resumed: boolean): void
  /** The socket that was ready is not any more. */
  lost(): void
  /** The broker refuses this session version; nothing is tried until another one is set or retry() is called. */
  parked(sessionVersion: number): void
}

export interface ConnectionDeps {
  clock: Clock
  /** In [0, 1). */
  random: () => number
  log: Log
  openSocket: OpenRawSocket
  metrics: KiteSocketMetrics
}

export interface ConnectionOptions {
  label: string
  wsRoot: string
  apiKey: string
  session: BrokerSession
  instrumentsMax: number
  refusals: SessionRefusals
  events: ConnectionEvents
}

export interface KiteConnection {
  state(): ConnectionStateName
  /** Milliseconds since the last frame of any kind while open; undefined otherwise. */
  silentMs(): number | undefined
  lastTickMs(): number | undefined
  instruments(): number
  tokens(): Iterable<number>
  /** Moves when tokens() changes. */
  targetVersion(): number
  /** Ticks received by segment; the receiver of `binary` counts them. */
  readonly activity: Activity
  /** Monotonic time at which its whole target, or part of it by resubscribe(), was last subscribed. */
  resubscribedMs(): number
  /** Subscribes these again, though they are subscribed: their ticks have stopped. */
  resubscribe(tokens: readonly number[]): void
  /** Gives up the open socket and opens another one. */
  reconnect(): void
  /**
   * Sends only the difference. Instruments past the limit are refused here, and returned; nothing of them is sent. The
   * limit is another one from now on when given. The target is kept, not copied: a copy of thousands would be garbage at
   * each change.
   */
  setTarget(next: Target, instrumentsMax?: number): number[]
  /** Parked: tries the same session again. */
  retry(): void
  /** Another session version: break before make. The same version changes nothing. */
  setSession(session: BrokerSession): void
  stop(): void
}

export function createKiteConnection(deps: ConnectionDeps, options: ConnectionOptions): KiteConnection {
  const { clock, metrics } = deps
  const log = deps.log.child({ connection: options.label })
  let session = options.session
  let target: Target = new Map<number, Mode>()
  let { instrumentsMax } = options
  let targetVersion = 0
  let resubscribedMs = 0
  const activity = createActivity()
  let attempt = 0
  const { refusals } = options
  let wasReady = false
  let lastFrameMs = 0
  let lastTickMs: number | undefined
  let state: State = { kind: 'backoff', cancelRetry: clock.after(0, connect) }
  metrics.connections.inc({ state: state.kind })

  function enter(next: State) {
    metrics.connections.dec({ state: state.kind })
    if (next.kind !== 'stopped') metrics.connections.inc({ state: next.kind })
    state = next
  }

  function connect() {
    if (refusals.version !== session.version) Object.assign(refusals, { version: session.version, count: 0 })
    if (refusals.count >= REFUSALS_MAX) return park()
    const query = new URLSearchParams({ api_key: options.apiKey, access_token: session.accessToken.reveal() })
    const socket = deps.openSocket(`${options.wsRoot}?${query}`, {
      open: () => opened(socket),
      binary: received,
      text: receivedText,
      refused,
      closed: (reason) => failed(reason),
    })
    const cancelTimeout = clock.after(HANDSHAKE_TIMEOUT_MS, () => {
      socket.terminate()
      failed('handshake timeout')
    })
    enter({ kind: 'connecting', socket, cancelTimeout })
  }

  function opened(socket: RawSocket) {
    if (state.kind !== 'connecting') return
    state.cancelTimeout()
    metrics.connects.inc({ outcome: 'open' })
    lastFrameMs = clock.monotonicMs()
    enter({ kind: 'open', socket, subscribed: new Map(), cancelSilence: watchSilence(READ_TIMEOUT_MS) })
    applyTarget()
    resubscribedMs = clock.monotonicMs()
    attempt = 0
    refusals.count = 0
    const resumed = wasReady
    wasReady = true
    log.info({ instruments: target.size, resumed }, 'broker socket ready')
    options.events.ready(resumed)
  }

  /** One timer, set again for what is left: a frame costs an assignment, not a timer. */
  function watchSilence(delayMs: number): () => void {
    return clock.after(delayMs, () => {
      if (state.kind !== 'open') return
      const leftMs = lastFrameMs + READ_TIMEOUT_MS - clock.monotonicMs()
      if (leftMs > 0) state.cancelSilence = watchSilence(leftMs)
      else leave('read_timeout', 'no frame from the broker')
    })
  }

  function received(bytes: Uint8Array) {
    const nowMs = clock.monotonicMs()
    lastFrameMs = nowMs
    if (bytes.length > 1) lastTickMs = nowMs
    options.events.binary(bytes, clock.nowMs(), activity)
  }

  function receivedText(text: string) {
    lastFrameMs = clock.monotonicMs()
    const frame = parseTextFrame(text)
    metrics.textFrames.inc({ kind: frame.kind })
    if (frame.kind === 'order') options.events.order(frame.order)
    else if (frame.kind === 'error') log.warn({ broker: frame.text }, 'the broker reports an error')
    else if (frame.kind === 'message') log.info({ broker: frame.text }, 'message of the broker')
  }

  function refused(status: number) {
    if (state.kind !== 'connecting') return
    state.cancelTimeout()
    if (status === 403) {
      refusals.count += 1
      metrics.connects.inc({ outcome: 'refused' })
      if (refusals.count >= REFUSALS_MAX) return park()
    }
    if (status === 429) {
      metrics.connects.inc({ outcome: 'too_many_sockets' })
      log.warn({}, 'the broker counts too many sockets of this account')
      retryAfter(backoffMs(TOO_MANY_SOCKETS_BACKOFF, ++attempt, deps.random))
      return
    }
    if (status !== 403) metrics.connects.inc({ outcome: 'failed' })
    log.warn({ status, refusals: refusals.count }, 'the broker refused the upgrade')
    retryAfter(backoffMs(RECONNECT_BACKOFF, ++attempt, deps.random))
  }

  function park() {
    enter({ kind: 'parked' })
    log.warn({ session_version: session.version }, 'the broker refuses this session: waiting for a new login')
    options.events.parked(session.version)
  }

  function failed(reason: string) {
    if (state.kind === 'open') return leave('closed', reason)
    if (state.kind !== 'connecting') return
    state.cancelTimeout()
    metrics.connects.inc({ outcome: 'failed' })
    log.warn({ reason }, 'broker socket did not open')
    retryAfter(backoffMs(RECONNECT_BACKOFF, ++attempt, deps.random))
  }

  function leave(cause: DisconnectReason, reason: string) {
    drop(cause)
    log.warn({ cause, reason }, 'broker socket lost')
    retryAfter(backoffMs(RECONNECT_BACKOFF, ++attempt, deps.random))
    options.events.lost()
  }

  function retryAfter(delayMs: number) {
    enter({ kind: 'backoff', cancelRetry: clock.after(delayMs, connect) })
  }

  /** Ends whatever the present state holds. */
  function drop(cause: DisconnectReason) {
    if (state.kind === 'connecting') {
      state.cancelTimeout()
      state.socket.terminate()
    } else if (state.kind === 'open') {
      state.cancelSilence()
      state.socket.terminate()
      metrics.disconnects.inc({ reason: cause })
    } else if (state.kind === 'backoff') {
      state.cancelRetry()
    }
  }

  function applyTarget() {
    if (state.kind !== 'open') return
    const { subscribed, socket } = state
    const difference = differenceOf(subscribed, target)
    for (const text of framesOf(difference, subscribed.size, instrumentsMax)) socket.send(text)
    state.subscribed = target
  }

  return {
    state: () => state.kind,
    silentMs: () => (state.kind === 'open' ? clock.monotonicMs() - lastFrameMs : undefined),
    lastTickMs: () => lastTickMs,
    instruments: () => target.size,
    tokens: () => target.keys(),
    targetVersion: () => targetVersion,
    activity,
    resubscribedMs: () => resubscribedMs,
    resubscribe(tokens) {
      if (state.kind !== 'open') return
      const wanted = new Set(tokens)
      const again = new Map([...target].filter(([token]) => wanted.has(token)))
      for (const text of framesOf(differenceOf(new Map(), again), 0, instrumentsMax)) state.socket.send(text)
      resubscribedMs = clock.monotonicMs()
    },
    reconnect() {
      if (state.kind !== 'open') return
      drop('silent')
      retryAfter(0)
      options.events.lost()
    },
    setTarget(next, limit = instrumentsMax) {
      instrumentsMax = limit
      const [accepted, refusedTokens] = cut(next, instrumentsMax)
      if (refusedTokens.length > 0) metrics.refusedInstruments.inc(refusedTokens.length)
      target = accepted
      targetVersion += 1
      applyTarget()
      return refusedTokens
    },
    retry() {
      if (state.kind === 'parked') retryAfter(0)
    },
    setSession(next) {
      if (next.version === session.version || state.kind === 'stopped') return
      session = next
      attempt = 0
      const wasOpen = state.kind === 'open'
      drop('session_changed')
      retryAfter(0)
      if (wasOpen) options.events.lost()
    },
    stop() {
      if (state.kind === 'stopped') return
      const wasOpen = state.kind === 'open'
      drop('stopped')
      enter({ kind: 'stopped' })
      if (wasOpen) options.events.lost()
    },
  }
}

function cut(target: Target, instrumentsMax: number): [accepted: Target, refused: number[]] {
  if (target.size <= instrumentsMax) return [target, []]
  const all = [...target]
  return [new Map(all.slice(0, instrumentsMax)), all.slice(instrumentsMax).map(([token]) => token)]
}
