// Prefer: wait=N. Polls the intent in Postgres until its outcome is known, so it works without Redis.
import { type Order, PENDING_STATES } from '@ticker/shared/domain'
import type { Call } from '../http/call.ts'
import { getOrder } from './read.ts'

const WAIT_S_MAX = 15
const POLL_MS_FIRST = 40
const POLL_MS_MAX = 500

/** Seconds from a Prefer header (RFC 7240), bounded; undefined when it does not ask to wait. */
export function waitSeconds(prefer: string | undefined): number | undefined {
  const found = /(?:^|[,;])\s*wait\s*=\s*"?(\d{1,6})"?\s*(?=$|[,;])/i.exec(prefer ?? '')?.[1]
  return found === undefined ? undefined : Math.min(Number(found), WAIT_S_MAX)
}

/** Whether the broker's word, or ours, on the order has not come yet. */
export function isPending(order: Order): boolean {
  return PENDING_STATES.includes(order.state)
}

/** The order as it is when it leaves QUEUED and SENDING, when time is up, or when the client is gone. */
export async function waitForOutcome(call: Call, order: Order, seconds: number): Promise<Order> {
  const { clock } = call.deps
  const untilMs = clock.nowMs() + seconds * 1000
  let latest = order
  let pauseMs = POLL_MS_FIRST
  while (latest.state === 'QUEUED' || latest.state === 'SENDING') {
    const leftMs = untilMs - clock.nowMs()
    if (leftMs <= 0 || call.signal.aborted) break
    await clock.sleep(Math.min(pauseMs, leftMs), call.signal)
    if (call.signal.aborted) break
    const found = await getOrder(call, order.id)
    if (found.ok) latest = found.value
    pauseMs = Math.min(pauseMs * 2, POLL_MS_MAX)
  }
  return latest
}
