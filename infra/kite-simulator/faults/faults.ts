// The faults that are armed. A fault ends after `count` uses or `for_ms`, and is looked up where it acts; nothing
// else in the simulator knows about tests.
import type {
  Fault,
  FaultKind,
  FaultOf,
  RequestFaultKind,
  RequestVerb,
  SocketFaultKind,
} from './fault-schema.ts'

export type ArmedFault = { id: string; remaining: number | null; expires_ms: number | null; fault: Fault }

/** What a fault of the ticker is matched against. */
export interface FaultTarget {
  userId: string
  id: string
  ordinal: number
}

export type SocketScope = { user_id?: string | undefined; socket?: string | number | undefined }

export const FAULTS_MAX = 1_000

export class Faults {
  #armed: ArmedFault[] = []
  /** Token lists of mutes as sets: they are asked for every tick. */
  readonly #tokenSets = new WeakMap<Fault, ReadonlySet<number>>()
  #nextId = 1
  #version = 0
  readonly #wallMs: () => number

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
  }

  /** Changes whenever a fault begins or ends. */
  get version(): number {
    if (this.#armed.length > 0) this.list()
    return this.#version
  }

  get none(): boolean {
    return this.#armed.length === 0
  }

  /** Null when too many are armed already. */
  arm(fault: Fault): ArmedFault | null {
    if (this.list().length >= FAULTS_MAX) return null
    const lastsMs = lastingMs(fault)
    const armed: ArmedFault = {
      id: String(this.#nextId++),
      remaining: 'count' in fault ? (fault.count ?? null) : null,
      expires_ms: lastsMs === undefined ? null : this.#wallMs() + lastsMs,
      fault,
    }
    if ('tokens' in fault && fault.tokens) this.#tokenSets.set(fault, new Set(fault.tokens))
    this.#armed.push(armed)
    this.#version++
    return armed
  }

  /** True while such a fault is armed for the user, without using it up. */
  active(kind: FaultKind, userId: string): boolean {
    return this.#find(kind, (fault) => isFor(fault, userId)) !== undefined
  }

  /** The oldest such fault of the user, one use spent; null when none is armed. */
  take<K extends FaultKind>(kind: K, userId: string): FaultOf<K> | null {
    return this.#spend(
      kind,
      this.#find(kind, (fault) => isFor(fault, userId)),
    )
  }

  /** As `take`, of the faults that strike this verb. */
  takeOfRequest<K extends RequestFaultKind>(kind: K, userId: string, verb: RequestVerb): FaultOf<K> | null {
    const strikes = (fault: Fault) => isFor(fault, userId) && 'on' in fault && fault.on === verb
    return this.#spend(kind, this.#find(kind, strikes))
  }

  /** The oldest such fault on the socket. A mute of named instruments is not one: ask `mutesTick`. */
  on<K extends SocketFaultKind>(kind: K, socket: FaultTarget): FaultOf<K> | null {
    const fault = this.#find(kind, (each) => isOn(each, socket) && !isPartialMute(each))?.fault
    return fault !== undefined && isKind(fault, kind) ? fault : null
  }

  /** As `on`, one use spent. */
  takeOn<K extends SocketFaultKind>(kind: K, socket: FaultTarget): FaultOf<K> | null {
    return this.#spend(
      kind,
      this.#find(kind, (fault) => isOn(fault, socket)),
    )
  }

  /** True when a mute of named instruments or segments covers this tick. */
  mutesTick(socket: FaultTarget, token: number, exchange: string): boolean {
    if (this.#armed.length === 0) return false
    for (const { fault } of this.list()) {
      if (fault.kind !== 'mute' || !isPartialMute(fault) || !isOn(fault, socket)) continue
      if (this.#tokenSets.get(fault)?.has(token)) return true
      if (fault.segments?.some((segment) => segment === exchange)) return true
    }
    return false
  }

  /** A socket subscribes: mutes that last until then end. */
  onSubscribe(socket: FaultTarget, tokens: readonly number[]): void {
    for (const { id, fault } of [...this.#armed]) {
      if (fault.kind !== 'mute' || fault.until !== 'subscribe' || !isOn(fault, socket)) continue
      const named = this.#tokenSets.get(fault)
      if (named === undefined || tokens.some((token) => named.has(token))) this.remove(id)
    }
  }

  list(): ArmedFault[] {
    const now = this.#wallMs()
    if (this.#armed.some((armed) => armed.expires_ms !== null && armed.expires_ms <= now)) {
      this.#armed = this.#armed.filter((armed) => armed.expires_ms === null || armed.expires_ms > now)
      this.#version++
    }
    return this.#armed
  }

  remove(id: string): boolean {
    const before = this.#armed.length
    this.#armed = this.#armed.filter((armed) => armed.id !== id)
    this.#version++
    return this.#armed.length < before
  }

  clear(): void {
    this.#armed = []
    this.#version++
  }

  #find(kind: FaultKind, matches: (fault: Fault) => boolean): ArmedFault | undefined {
    if (this.#armed.length === 0) return undefined
    return this.list().find(({ fault }) => fault.kind === kind && matches(fault))
  }

  #spend<K extends FaultKind>(kind: K, armed: ArmedFault | undefined): FaultOf<K> | null {
    if (armed === undefined) return null
    if (armed.remaining !== null && --armed.remaining === 0) this.remove(armed.id)
    return isKind(armed.fault, kind) ? armed.fault : null
  }
}

function lastingMs(fault: Fault): number | undefined {
  if (fault.kind === 'drop_socket' || fault.kind === 'token_dead') return undefined
  return fault.for_ms ?? fault.duration_ms
}

function isFor(fault: Fault, userId: string): boolean {
  return fault.user_id === undefined || fault.user_id === userId
}

/** Whether the fault's user and socket, where it names them, are this one. */
export function isOn(scope: SocketScope, socket: FaultTarget): boolean {
  if (scope.user_id !== undefined && scope.user_id !== socket.userId) return false
  const named = scope.socket
  return named === undefined || named === socket.id || named === socket.ordinal
}

function isPartialMute(fault: Fault): boolean {
  return fault.kind === 'mute' && (fault.tokens !== undefined || fault.segments !== undefined)
}

function isKind<K extends FaultKind>(fault: Fault, kind: K): fault is FaultOf<K> {
  return fault.kind === kind
}
