// An order larger than the exchange takes at once, cut into slices (KITE.md 5.3). Freeze quantities are the dated ones of
// index derivatives; whether the broker cuts at exactly these is not known.
import { freezeQuantityOf } from '@ticker/shared/domain'
import type { Instrument } from '../instruments/instrument-book.ts'
import { istDate } from '../ist-time.ts'
import { type Outcome, type Refusal, refused } from '../refusal.ts'

export const SLICES_MAX = 10

export type Slice =
  | { order_id: string }
  | { error: { code: number; error_type: string; message: string; data: null } }

/** What a place answers: one order, or the slices in one of the two shapes that are published. */
export type Placed = { order_id: string; children?: Slice[] } | Slice[]

/** The quantity of each order that is sent; one, unless it is too large and may be cut. */
export function slicesOf(
  instrument: Instrument,
  quantity: number,
  autoslice: boolean,
  nowMs: number,
): Outcome<number[]> {
  const derivative = instrument.exchange === 'NFO' || instrument.exchange === 'BFO'
  const freeze = derivative ? freezeQuantityOf(instrument.name, istDate(nowMs))?.quantity : undefined
  if (freeze === undefined || quantity <= freeze) return { ok: true, value: [quantity] }
  const lot = Math.max(1, instrument.lot_size)
  const most = Math.floor(freeze / lot) * lot
  const count = Math.ceil(quantity / most)
  if (!autoslice || count > SLICES_MAX)
    return { ok: false, refusal: refused(400, 'OrderException', tooLarge(freeze, autoslice)) }
  return {
    ok: true,
    value: Array.from({ length: count }, (_, index) => Math.min(most, quantity - index * most)),
  }
}

function tooLarge(freeze: number, autoslice: boolean): string {
  return autoslice
    ? `Order quantity needs more than ${SLICES_MAX} slices of the freeze quantity ${freeze}.`
    : `Order quantity exceeds the freeze quantity ${freeze}.`
}

export function refusedSlice({ status, error_type, message }: Refusal): Slice {
  return { error: { code: status, error_type, message, data: null } }
}
