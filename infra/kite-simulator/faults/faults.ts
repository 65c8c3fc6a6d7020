// Faults that the control API arms. A fault belongs to one user or to all, ends after `count` uses or
// `duration_ms`, and is looked up where it acts; nothing else in the simulator knows about tests.
import { z } from 'zod'

const scope = {
  user_id: z.string().optional(),
  /** Ends by itself after this many real milliseconds. */
  duration_ms: z.number().int().positive().optional(),
}
const orderScope = { ...scope, count: z.number().int().positive().max(100_000).default(1) }

/** Immediate: they act once and are not kept. */
const immediate = [
  z.object({ kind: z.literal('drop_socket'), user_id: scope.user_id }),
  z.object({ kind: z.literal('token_dead'), user_id: scope.user_id }),
] as const

export const faultSchema = z.discriminatedUnion('kind', [
  ...immediate,
  z.object({ kind: z.literal('mute'), ...scope }),
  z.object({ kind: z.literal('silence'), ...scope }),
  z.object({ kind: z.literal('upgrade_403'), ...scope, count: z.number().int().positive().optional() }),
  z.object({
    kind: z.literal('reject_order'),
    ...orderScope,
    how: z.enum(['sync', 'async']).default('async'),
    message: z.string().max(300).optional(),
  }),
  z.object({ kind: z.literal('lose_reply'), ...orderScope, how: z.enum(['reset', 'hang']).default('reset') }),
  z.object({ kind: z.literal('never_arrives'), ...orderScope }),
  z.object({ kind: z.literal('timeout_400'), ...orderScope }),
  z.object({
    kind: z.literal('delay_book'),
    ...orderScope,
    delay_ms: z.number().int().positive().max(600_000),
  }),
  z.object({ kind: z.literal('order_429'), ...orderScope }),
])

export type Fault = z.output<typeof faultSchema>
export type FaultKind = Fault['kind']
export type FaultOf<K extends FaultKind> = Extract<Fault, { kind: K }>
export type ArmedFault = { id: string; remaining: number | null; expires_ms: number | null; fault: Fault }

export const FAULTS_MAX = 1_000

export class Faults {
  #armed: ArmedFault[] = []
  #nextId = 1
  readonly #wallMs: () => number

  constructor(wallMs: () => number) {
    this.#wallMs = wallMs
  }

  /** Null when too many are armed already. */
  arm(fault: Fault): ArmedFault | null {
    if (this.list().length >= FAULTS_MAX) return null
    const durationMs = 'duration_ms' in fault ? fault.duration_ms : undefined
    const armed: ArmedFault = {
      id: String(this.#nextId++),
      remaining: 'count' in fault ? (fault.count ?? null) : null,
      expires_ms: durationMs === undefined ? null : this.#wallMs() + durationMs,
      fault,
    }
    this.#armed.push(armed)
    return armed
  }

  /** True while such a fault is armed for the user, without using it up. */
  active(kind: FaultKind, userId: string): boolean {
    return this.#find(kind, userId) !== undefined
  }

  /** The oldest such fault of the user, one use spent; null when none is armed. */
  take<K extends FaultKind>(kind: K, userId: string): FaultOf<K> | null {
    const armed = this.#find(kind, userId)
    if (armed === undefined) return null
    if (armed.remaining !== null && --armed.remaining === 0) this.remove(armed.id)
    return isKind(armed.fault, kind) ? armed.fault : null
  }

  list(): ArmedFault[] {
    const now = this.#wallMs()
    this.#armed = this.#armed.filter((armed) => armed.expires_ms === null || armed.expires_ms > now)
    return this.#armed
  }

  remove(id: string): boolean {
    const before = this.#armed.length
    this.#armed = this.#armed.filter((armed) => armed.id !== id)
    return this.#armed.length < before
  }

  clear(): void {
    this.#armed = []
  }

  #find(kind: FaultKind, userId: string): ArmedFault | undefined {
    if (this.#armed.length === 0) return undefined
    return this.list().find(
      ({ fault }) => fault.kind === kind && (fault.user_id === undefined || fault.user_id === userId),
    )
  }
}

function isKind<K extends FaultKind>(fault: Fault, kind: K): fault is FaultOf<K> {
  return fault.kind === kind
}
