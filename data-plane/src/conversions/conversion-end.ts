// What positions say of a conversion that is in doubt: from what they were right before it was sent to what they are.
import { type BrokerPosition, convertPosition } from '@ticker/shared/domain'
import { z } from 'zod'
import type { AccountWrite, WriteEnd } from '../account-writes/write-store.ts'

export const conversionBefore = z.object({ old: z.number(), new: z.number() })
export type HeldOf = z.infer<typeof conversionBefore>

/** Net quantities of the instrument under both products. */
export function heldOf(write: AccountWrite, net: readonly BrokerPosition[]): HeldOf {
  const { exchange, tradingsymbol, old_product, new_product } = convertPosition.parse(write.request)
  const of = (product: string) =>
    net
      .filter((row) => row.exchange === exchange && row.tradingsymbol === tradingsymbol)
      .filter((row) => row.product === product)
      .reduce((sum, row) => sum + row.quantity, 0)
  return { old: of(old_product), new: of(new_product) }
}

/** undefined: nothing has moved (yet), or a fill moved it too, and a person has to look. */
export function conversionEnd(write: AccountWrite, net: readonly BrokerPosition[]): WriteEnd | undefined {
  const before = conversionBefore.safeParse(write.before).data
  if (!before) return undefined
  const { transaction_type: side, quantity } = convertPosition.parse(write.request)
  const moved = side === 'BUY' ? quantity : -quantity
  const now = heldOf(write, net)
  return now.old === before.old - moved && now.new === before.new + moved
    ? { state: 'ACCEPTED', triggerId: null }
    : undefined
}
