// What the broker's list says of a GTT write that is in doubt: a GTT has no tag, so what it states is its name.
import { type StoredGtt, storedGtt } from '@ticker/shared/domain'
import { gttCreatedMs, type KiteGtt } from '@ticker/shared/kite-http'
import { z } from 'zod'
import type { AccountWrite, WriteEnd } from '../account-writes/write-store.ts'

/** A list that has not shown a modify or a delete for so long says that it was not done. */
export const DOUBT_MS = 90_000
/** Between the broker's clock and ours, its whole seconds included. */
const CLOCKS_APART_MS = 10_000

const near = (a: number, b: number) => Math.abs(a - b) < 1e-6

/** The condition and the orders; not the last price, which is what it was when that was stated. */
export function isSameGtt(gtt: KiteGtt, stated: StoredGtt): boolean {
  const { exchange, tradingsymbol, trigger_values: triggers } = gtt.condition
  return (
    gtt.type === stated.type &&
    exchange === stated.exchange &&
    tradingsymbol === stated.tradingsymbol &&
    triggers.length === stated.trigger_values.length &&
    triggers.every((value, index) => near(value, stated.trigger_values[index] ?? Number.NaN)) &&
    gtt.orders.length === stated.orders.length &&
    gtt.orders.every((order, index) => {
      const other = stated.orders[index]
      return (
        other !== undefined &&
        order.transaction_type === other.transaction_type &&
        order.quantity === other.quantity &&
        order.product === other.product &&
        near(order.price, other.price)
      )
    })
  )
}

/** `taken`: GTTs that are another write's. undefined: the list does not tell (yet). */
export function gttEnd(
  write: AccountWrite,
  gtts: readonly KiteGtt[],
  taken: ReadonlySet<string>,
  nowMs: number,
): WriteEnd | undefined {
  if (write.kind === 'gtt_place') return placeEnd(write, gtts, taken, nowMs)
  const gtt = gtts.find(({ id }) => id === write.triggerId)
  const over = gtt?.status === 'active' ? undefined : (gtt?.status ?? 'not in the list')
  const { triggerId } = write
  if (write.kind === 'gtt_delete') {
    if (over === 'deleted' || over === 'cancelled' || !gtt) return { state: 'ACCEPTED', triggerId }
  } else if (gtt && isSameGtt(gtt, storedGtt.parse(write.request))) return { state: 'ACCEPTED', triggerId }
  if (over) return { state: 'RELEASED', code: 'gtt_not_active', reason: `The GTT is ${over}.` }
  if (write.sinceMs < DOUBT_MS) return undefined
  const reason = 'The list has not shown it for 90 s; it is not sent again.'
  return { state: 'RELEASED', code: 'not_shown', reason }
}

export const placeBefore = z.object({ trigger_ids: z.array(z.string()) })

/** One that states the same, that was not there before it was sent, and that nobody else of us has placed. */
function placeEnd(
  write: AccountWrite,
  gtts: readonly KiteGtt[],
  taken: ReadonlySet<string>,
  nowMs: number,
): WriteEnd | undefined {
  const before = placeBefore.safeParse(write.before).data?.trigger_ids ?? []
  const sentMs = nowMs - write.sinceMs
  const stated = storedGtt.parse(write.request)
  const found = gtts.find(
    (gtt) =>
      !before.includes(gtt.id) &&
      !taken.has(gtt.id) &&
      (gttCreatedMs(gtt) ?? sentMs) >= sentMs - CLOCKS_APART_MS &&
      isSameGtt(gtt, stated),
  )
  return found ? { state: 'ACCEPTED', triggerId: found.id } : undefined
}
