// The rows of one account's order path, in memory, as far as sending a place needs them.
import type { IntentState, PlaceOrder } from '@ticker/shared/domain'

export interface ModelIntent {
  id: string
  tag: string
  request: PlaceOrder
  state: IntentState
  createdMs: number
  deadlineMs: number
  notBeforeMs: number
  attempts: number
  sendingEpoch: number | undefined
  sendingMs: number | undefined
  nextReadMs: number
  reads: number
  brokerOrderId: string | undefined
}

export interface ModelState {
  intents: Map<string, ModelIntent>
  /** Order id → intent id. */
  links: Map<string, string>
  /** Order id → status. */
  orders: Map<string, string>
  owner: { instanceId: string; epoch: number; leaseUntilMs: number }
  gateReason: string | null
}

export const emptyState = (): ModelState => ({
  intents: new Map(),
  links: new Map(),
  orders: new Map(),
  owner: { instanceId: '', epoch: 0, leaseUntilMs: 0 },
  gateReason: null,
})

/** Runs one statement, as a database does: whole, or not at all. */
export type RunStatement = <T>(statement: (state: ModelState, nowMs: number) => T) => Promise<T>
