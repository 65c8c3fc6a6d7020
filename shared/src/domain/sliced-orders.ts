// An order beyond the exchange's freeze quantity, cut here: one order of ours for each slice.
import { z } from 'zod'
import { accountId } from './accounts.ts'
import { orderChange } from './order-changes.ts'
import { order } from './orders.ts'
import { placeOrder } from './place-order.ts'

export const SLICES_MAX = 10

/** Whole lots, none beyond the freeze quantity, as few as that takes; undefined: no lot fits into it. */
export function slicesOf(quantity: number, freezeQuantity: number, lotSize: number): number[] | undefined {
  const most = Math.floor(freezeQuantity / lotSize) * lotSize
  if (most <= 0) return undefined
  return Array.from({ length: Math.ceil(quantity / most) }, (_, index) =>
    Math.min(most, quantity - index * most),
  )
}

export const placeSlicedOrder = placeOrder
  .superRefine(({ variety, autoslice }, context) => {
    const refuse = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message })
    if (variety !== 'regular' && variety !== 'amo') refuse('variety', 'regular or amo')
    if (autoslice !== undefined) refuse('autoslice', 'not allowed: it is cut here')
  })
  .meta({ id: 'PlaceSlicedOrder', description: 'As an order; `quantity` is the whole' })

export const slicedOrder = z
  .object({
    id: z.string().meta({ example: 'slc_01931c9fd2e27b3cb1f2' }),
    account_id: accountId,
    request: placeOrder,
    quantities: z
      .array(z.int())
      .meta({ description: 'Of the slices, in the order in which they are stored' }),
    cancel_requested_at: z.string().nullable(),
    orders: z
      .array(order)
      .meta({ description: 'One for each slice that is stored; fewer than the slices when one was refused' }),
    created_at: z.string(),
  })
  .meta({ id: 'SlicedOrder' })
export type SlicedOrder = z.infer<typeof slicedOrder>

export const slicedOrderCancel = z
  .object({ changes: z.array(orderChange).meta({ description: 'One for each slice' }) })
  .meta({ id: 'SlicedOrderCancel' })
