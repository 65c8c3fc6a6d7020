// A GTT as clients send it: form fields, two of which are JSON texts (KITE.md 5.5); texts of refusals are invented.
import { z } from 'zod'
import type { InstrumentBook } from '../instruments/instrument-book.ts'
import { placeRefusal } from '../orders/request.ts'
import { inputRefused, type Outcome, type Refusal } from '../refusal.ts'

const conditionSchema = z.object({
  exchange: z.enum(['NSE', 'BSE', 'NFO', 'BFO', 'CDS', 'BCD', 'MCX']),
  tradingsymbol: z.string(),
  trigger_values: z.array(z.number().positive()).min(1).max(2),
  last_price: z.number().positive(),
})
const orderSchema = z.object({
  exchange: z.string(),
  tradingsymbol: z.string(),
  transaction_type: z.enum(['BUY', 'SELL']),
  quantity: z.number().int().positive(),
  order_type: z.string(),
  product: z.enum(['CNC', 'NRML', 'MIS', 'MTF']),
  price: z.number().positive(),
})
const gttSchema = z.object({
  type: z.enum(['single', 'two-leg']),
  condition: conditionSchema,
  orders: z.array(orderSchema).min(1).max(2),
})
export type GttRequest = z.output<typeof gttSchema> & { token: number }

export function parseGtt(
  form: Readonly<Record<string, string>>,
  instruments: InstrumentBook,
  nowMs: number,
): Outcome<GttRequest> {
  const refuse = (message: string) => ({ ok: false, refusal: inputRefused(message) }) as const
  const parsed = gttSchema.safeParse({
    ...{ type: form.type, condition: jsonOf(form.condition), orders: jsonOf(form.orders) },
  })
  if (!parsed.success) return refuse(`Invalid \`${parsed.error.issues[0]?.path.join('.') ?? 'type'}\`.`)
  const { type, condition, orders } = parsed.data
  const instrument = instruments.find(condition.exchange, condition.tradingsymbol)
  if (!instrument) return refuse('Invalid `tradingsymbol`.')
  const wrong = triggerRefusal(type, condition, orders.length)
  if (wrong) return { ok: false, refusal: wrong }
  for (const order of orders) {
    if (order.order_type !== 'LIMIT') return refuse('Invalid `order_type`: only LIMIT is allowed for GTT.')
    if (order.exchange !== condition.exchange || order.tradingsymbol !== condition.tradingsymbol)
      return refuse('Invalid `orders`: of another instrument than the condition.')
    const refusal = placeRefusal(
      { ...REGULAR, ...order, exchange: condition.exchange, order_type: 'LIMIT' },
      instrument,
      nowMs,
    )
    if (refusal) return { ok: false, refusal }
  }
  return { ok: true, value: { ...parsed.data, token: instrument.instrument_token } }
}

/** What a regular LIMIT order of a form has besides. */
const REGULAR = {
  ...{ trigger_price: 0, disclosed_quantity: 0, validity: 'DAY' as const, validity_ttl: 0 },
  ...{ market_protection: 0, iceberg_legs: 0, iceberg_quantity: 0, auction_number: '', autoslice: false },
  tag: undefined,
}

function triggerRefusal(
  type: GttRequest['type'],
  { trigger_values: triggers, last_price: last }: GttRequest['condition'],
  orders: number,
): Refusal | undefined {
  const wanted = type === 'single' ? 1 : 2
  if (triggers.length !== wanted || orders !== wanted)
    return inputRefused(`Invalid \`trigger_values\`: ${wanted} expected, with as many orders.`)
  const [first = 0, second] = triggers
  if (second === undefined)
    return first === last ? inputRefused('Trigger price cannot be the last price.') : undefined
  if (first >= last)
    return inputRefused('Trigger cannot be created with the first trigger price more than the last price.')
  if (second <= last)
    return inputRefused('Trigger cannot be created with the second trigger price less than the last price.')
  return undefined
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return undefined
  }
}
