// Prefer: wait=N. Polls Postgres until the outcome of an intent or a change is known, or something has happened, so it works
// without Redis.
import { type Order, type OrderChange, PENDING_CHANGE_STATES, PENDING_STATES } from '@ticker/shared/domain'
import type { Call } from '../http/call.ts'
import type { Outcome } from '../http/problem.ts'
import { getOrder } from './read.ts'
import { getOrderChange } from './read-changes.ts'

export const WAIT_S_MAX = 15
const POLL_MS_FIRST = 40
const POLL_MS_MAX = 500

/** Whether the broker's word, or ours, on the order has not come yet. */
export function isPending(order: Order): boolean {
  return PENDING_STATES.includes(order.state)
}

export function isChangePending({ kind, state }: OrderChange): boolean {
  return PENDING_CHANGE_STATES[kind].includes(state)
}

/** The order as it is when it leaves QUEUED and SENDING, when time is up, or when the client is gone. */
export function waitForOutcome(call: Call, order: Order, seconds: number): Promise<Order> {
  const isUnsent = ({ state }: Order) => state === 'QUEUED' || state === 'SENDING'
  return waitWhile(call, order, seconds, isUnsent, () => getOrder(call, order.id))
}

/** A modify when the broker has answered; a cancel when nothing of its order is open any more. */
export function waitForChange(call: Call, change: OrderChange, seconds: number): Promise<OrderChange> {
  const isWorthWaiting = (latest: OrderChange) =>
    isChangePending(latest) && !(latest.kind === 'modify' && latest.state === 'UNKNOWN')
  return waitWhile(call, change, seconds, isWorthWaiting, () => getOrderChange(call, change.id))
}

/** The order when it is certain whether it is at the broker: a lost reply is made up for by reading, mostly within 2 s. */
export function waitForCertainty(call: Call, order: Order, seconds: number): Promise<Order> {
  return waitWhile(call, order, seconds, isPending, () => getOrder(call, order.id))
}

/** A change when it is certain whether the broker has taken it, or that it will not be asked. */
export function waitForTaken(call: Call, change: OrderChange, seconds: number): Promise<OrderChange> {
  const isInDoubt = ({ state }: OrderChange) => PENDING_CHANGE_STATES.modify.includes(state)
  return waitWhile(call, change, seconds, isInDoubt, () => getOrderChange(call, change.id))
}

/** An answer that cannot be read any more leaves the one before: who asks again is told. */
export async function waitWhile<T>(
  call: Call,
  first: T,
  seconds: number,
  isWorthWaiting: (latest: T) => boolean,
  read: () => Promise<Outcome<T>>,
): Promise<T> {
  const { clock } = call.deps
  const untilMs = clock.nowMs() + seconds * 1000
  let latest = first
  let pauseMs = POLL_MS_FIRST
  while (isWorthWaiting(latest)) {
    const leftMs = untilMs - clock.nowMs()
    if (leftMs <= 0 || call.signal.aborted) break
    await clock.sleep(Math.min(pauseMs, leftMs), call.signal)
    if (call.signal.aborted) break
    const found = await read()
    if (found.ok) latest = found.value
    pauseMs = Math.min(pauseMs * 2, POLL_MS_MAX)
  }
  return latest
}
