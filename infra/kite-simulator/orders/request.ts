// Order forms as clients send them, and the refusals the broker answers at once, without a row in the book
// (SIMULATOR-FIDELITY "two kinds of refusal"). Empty, `undefined`, `null` and `None` mean absent.
import { z } from 'zod'
import type { Instrument } from '../instruments/instrument-book.ts'
import { istDate } from '../ist-time.ts'
import { inputRefused, type Outcome, type Refusal } from '../refusal.ts'

const ABSENT = new Set(['', 'undefined', 'null', 'None'])
const TAG_LENGTH_MAX = 20

const count = z.coerce.number().int().min(0)
const rupees = z.coerce.number().min(0)

const placeSchema = z.object({
  exchange: z.enum(['NSE', 'BSE', 'NFO', 'BFO', 'CDS', 'BCD', 'MCX']),
  tradingsymbol: z.string(),
  transaction_type: z.enum(['BUY', 'SELL']),
  order_type: z.enum(['MARKET', 'LIMIT', 'SL', 'SL-M']),
  product: z.enum(['CNC', 'NRML', 'MIS', 'MTF']),
  quantity: count.min(1),
  price: rupees.default(0),
  trigger_price: rupees.default(0),
  disclosed_quantity: count.default(0),
  validity: z.enum(['DAY', 'IOC', 'TTL']).default('DAY'),
  validity_ttl: count.default(0),
  market_protection: z.coerce.number().min(-1).max(100).default(0),
  iceberg_legs: count.default(0),
  iceberg_quantity: count.default(0),
  auction_number: z.string().default(''),
  /** Booleans in any case. */
  autoslice: z
    .string()
    .default('')
    .transform((value) => value.toLowerCase() === 'true'),
  tag: z.string().max(TAG_LENGTH_MAX, 'Invalid `tag`: at most 20 characters').optional(),
})

const modifySchema = placeSchema
  .pick({ order_type: true, quantity: true, validity: true, price: true, trigger_price: true })
  .extend({ disclosed_quantity: count, market_protection: z.coerce.number().min(-1).max(100) })
  .partial()

export type PlaceRequest = z.output<typeof placeSchema>
export type ModifyRequest = Partial<Pick<PlaceRequest, keyof z.output<typeof modifySchema>>>
export type Form = Readonly<Record<string, string>>

export function parsePlace(form: Form): Outcome<PlaceRequest> {
  return parsed(placeSchema.safeParse(present(form)))
}

/** Only what the form states: defaults would change fields that nobody named. */
export function parseModify(form: Form): Outcome<ModifyRequest> {
  const stated = present(form)
  const result = parsed(modifySchema.safeParse(stated))
  if (!result.ok) return result
  return {
    ok: true,
    value: Object.fromEntries(Object.entries(result.value).filter(([key]) => key in stated)),
  }
}

/** Why the broker would not take this order at all; null when it would. */
export function placeRefusal(
  request: PlaceRequest,
  instrument: Instrument | undefined,
  nowMs: number,
): Refusal | null {
  if (instrument === undefined || isOver(instrument, nowMs) || instrument.segment === 'INDICES') {
    return inputRefused('The instrument you are placing an order for has either expired or does not exist.')
  }
  const { order_type: orderType, price, trigger_price: trigger, quantity } = request
  const isMarket = orderType === 'MARKET' || orderType === 'SL-M'
  if (isMarket && request.market_protection === 0) {
    return inputRefused(
      'Market orders without market protection are not allowed via API. Please set market protection or use a Limit order.',
    )
  }
  if (!isMarket && price <= 0) return inputRefused('Invalid `price`.')
  const isStop = orderType === 'SL' || orderType === 'SL-M'
  if (isStop && trigger <= 0) return inputRefused('Invalid `trigger_price`.')
  const offTick = !isMarket && !onTick(price, instrument.tick_size)
  if (offTick || (isStop && !onTick(trigger, instrument.tick_size))) {
    return inputRefused(
      `Tick size for this script is ${instrument.tick_size.toFixed(2)}. Kindly enter price in the multiple of tick size for this script`,
    )
  }
  if (instrument.lot_size > 1 && quantity % instrument.lot_size !== 0) {
    return inputRefused(`Quantity should be in multiples of the lot size (${instrument.lot_size}).`)
  }
  return null
}

export function onTick(price: number, tick: number): boolean {
  if (tick <= 0) return true
  const steps = price / tick
  return Math.abs(steps - Math.round(steps)) < 1e-6
}

function isOver(instrument: Instrument, nowMs: number): boolean {
  return instrument.expiry !== '' && instrument.expiry < istDate(nowMs)
}

function present(form: Form): Record<string, string> {
  return Object.fromEntries(Object.entries(form).filter(([, value]) => !ABSENT.has(value)))
}

function parsed<T>(result: z.ZodSafeParseResult<T>): Outcome<T> {
  if (result.success) return { ok: true, value: result.data }
  const issue = result.error.issues[0]
  const field = issue?.path.join('.') ?? ''
  const missing = issue?.code === 'invalid_type' || issue?.message.includes('undefined')
  const message = missing ? `Missing or empty field \`${field}\`` : (issue?.message ?? 'Invalid input')
  return {
    ok: false,
    refusal: inputRefused(message.includes('`') ? message : `Invalid \`${field}\`: ${message}`),
  }
}
