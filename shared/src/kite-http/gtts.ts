// Good-till-triggered orders as the broker lists them (KITE.md 5.5), and its forms of what is asked of it. Writes go over a
// socket of our own, as orders do: here is only what they say.
import { z } from 'zod'
import type { ConvertPosition } from '../domain/conversions.ts'
import type { StoredGtt } from '../domain/gtts.ts'
import { parseBrokerTime } from '../domain/time.ts'
import type { KiteOutcome } from './envelope.ts'
import { type Credentials, type KiteHttp, request } from './request.ts'

const id = z.union([z.string().min(1), z.int().positive().transform(String)])
const text = z.string().nullish().catch(null)
const number = z.coerce.number()

const result = z
  .object({
    order_result: z.object({ status: text, order_id: text, rejection_reason: text }).nullish().catch(null),
  })
  .nullish()
  .catch(null)

/** One row of the list: what we rely on, and the rest as it came. */
export const kiteGtt = z.looseObject({
  id,
  type: z.string(),
  status: z.string().min(1),
  created_at: text,
  updated_at: text,
  expires_at: text,
  condition: z.looseObject({
    exchange: z.string(),
    tradingsymbol: z.string(),
    trigger_values: z.array(number).min(1).max(2),
    last_price: number.nullish().catch(null),
  }),
  orders: z
    .array(
      z.looseObject({
        transaction_type: z.string(),
        quantity: number.int(),
        product: z.string(),
        order_type: text,
        price: number,
        result,
      }),
    )
    .min(1)
    .max(2),
})
export type KiteGtt = z.output<typeof kiteGtt>

/** The list row by row: one in a shape that we do not know hides no other, but is never taken for absent. */
export interface GttList {
  gtts: KiteGtt[]
  unreadable: number
}

export async function getGtts(http: KiteHttp, credentials: Credentials): Promise<KiteOutcome<GttList>> {
  const outcome = await request(http, '/gtt/triggers', { method: 'GET', credentials })
  if (!outcome.ok) return outcome
  const rows = z.array(z.unknown()).safeParse(outcome.data ?? [])
  if (!rows.success) return { ok: false, failure: { kind: 'unreadable', status: 200 } }
  const gtts = rows.data.flatMap((row) => kiteGtt.safeParse(row).data ?? [])
  return { ok: true, data: { gtts, unreadable: rows.data.length - gtts.length } }
}

/** Epoch ms; undefined when the broker does not say. */
export const gttCreatedMs = (gtt: KiteGtt) => parseBrokerTime(gtt.created_at)

/** The id in the answer to a place, modify or delete; undefined: there is none that can be read. */
export function triggerIdOf(data: unknown): string | undefined {
  return z.object({ trigger_id: id }).safeParse(data).data?.trigger_id
}

export function gttForm({ type, exchange, tradingsymbol, ...gtt }: StoredGtt): URLSearchParams {
  const { trigger_values, last_price } = gtt
  const orders = gtt.orders.map((order) => ({ exchange, tradingsymbol, ...order, order_type: 'LIMIT' }))
  return new URLSearchParams({
    type,
    condition: JSON.stringify({ exchange, tradingsymbol, trigger_values, last_price }),
    orders: JSON.stringify(orders),
  })
}

export function conversionForm(conversion: ConvertPosition): URLSearchParams {
  const { account_id: _, expires_in_s: __, quantity, ...rest } = conversion
  return new URLSearchParams({ ...rest, quantity: String(quantity) })
}
