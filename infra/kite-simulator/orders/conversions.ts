// A position's product is changed (KITE.md 5.5): what was bought or sold under one product counts under another, at the price
// that it had. The texts of refusals are invented.
import { z } from 'zod'
import type { Instrument, InstrumentBook } from '../instruments/instrument-book.ts'
import { inputRefused, type Outcome } from '../refusal.ts'
import type { Trade } from './order.ts'
import type { Position } from './positions.ts'

const schema = z.object({
  exchange: z.string(),
  tradingsymbol: z.string(),
  transaction_type: z.enum(['BUY', 'SELL']),
  position_type: z.enum(['day', 'overnight']),
  quantity: z.coerce.number().int().positive(),
  old_product: z.enum(['CNC', 'NRML', 'MIS', 'MTF']),
  new_product: z.enum(['CNC', 'NRML', 'MIS', 'MTF']),
})

/** What has to be counted besides the day's trades: minus there, plus here. */
export function conversionOf(
  form: Readonly<Record<string, string>>,
  instruments: InstrumentBook,
  positions: readonly Position[],
): Outcome<[Trade, Trade]> {
  const refuse = (message: string) => ({ ok: false, refusal: inputRefused(message) }) as const
  const parsed = schema.safeParse(form)
  if (!parsed.success) return refuse(`Invalid \`${parsed.error.issues[0]?.path.join('.') ?? ''}\`.`)
  const { exchange, tradingsymbol, transaction_type: side, quantity, old_product, new_product } = parsed.data
  const instrument = instruments.find(exchange, tradingsymbol)
  if (!instrument) return refuse('Invalid `tradingsymbol`.')
  if (old_product === new_product) return refuse('Invalid `new_product`: it is the same.')
  const wrong = [old_product, new_product].find((product) => !isProductOf(instrument, product))
  if (wrong) return refuse(`Invalid \`product\`: ${wrong} is not allowed on ${exchange}.`)
  if (new_product === 'CNC' && side === 'SELL')
    return refuse('Invalid `new_product`: a short position cannot be converted to CNC.')
  const held = positions.find(
    (one) => one.instrument_token === instrument.instrument_token && one.product === old_product,
  )
  const open = (held?.quantity ?? 0) * (side === 'BUY' ? 1 : -1)
  if (!held || quantity > open)
    return refuse(`Invalid \`quantity\`: no more than ${Math.max(0, open)} can be converted.`)
  const counted = (product: string, of: number): Trade => ({
    ...{ trade_id: '', order_id: '', exchange_order_id: null, exchange, tradingsymbol, product },
    ...{ instrument_token: instrument.instrument_token, average_price: held.average_price, quantity: of },
    ...{ transaction_type: side, fill_timestamp: '', order_timestamp: '', exchange_timestamp: '' },
  })
  return { ok: true, value: [counted(old_product, -quantity), counted(new_product, quantity)] }
}

/** Shares are delivered or intraday, contracts are carried or intraday. */
function isProductOf({ exchange }: Instrument, product: string): boolean {
  const isShare = exchange === 'NSE' || exchange === 'BSE'
  return product === 'MIS' || (isShare ? product !== 'NRML' : product === 'NRML')
}
