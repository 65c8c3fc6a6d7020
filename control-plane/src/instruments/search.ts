import {
  CASH_EXCHANGE,
  calendarDate,
  exchange,
  freezeQuantityOf,
  type Instrument,
  type InstrumentDetail,
  instrument,
  instrumentKey,
  isInUnits,
  istDay,
  keyOfAlias,
  multiplierOf,
  priceProtectionOf,
  splitInstrumentKey,
  spotKey,
  storedText,
} from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, pageOf, pageQuery } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'

const INSTRUMENT_JSON = sql`jsonb_build_object(
  'instrument_token', i.instrument_token, 'exchange_token', i.exchange_token, 'exchange', i.exchange,
  'tradingsymbol', i.tradingsymbol, 'name', i.name, 'expiry', i.expiry, 'strike', i.strike,
  'tick_size', i.tick_size, 'lot_size', i.lot_size, 'instrument_type', i.instrument_type,
  'segment', i.segment, 'tradable', (i.instrument_token & 255) <> 9)`

const row = z.object({ instrument })

const strike = z.coerce.number().min(0).max(1e9)

export const instrumentQuery = pageQuery.extend({
  exchange: exchange.optional(),
  segment: storedText(20).optional().meta({ example: 'NFO-OPT' }),
  name: storedText(100).optional().meta({ description: 'Exact name of the underlying', example: 'NIFTY' }),
  prefix: storedText(100, 1).optional().meta({ description: 'The tradingsymbol begins with' }),
  expiry: calendarDate.optional(),
  strike_min: strike.optional(),
  strike_max: strike.optional(),
  type: z.enum(['EQ', 'FUT', 'CE', 'PE']).optional(),
})
export type InstrumentQuery = z.output<typeof instrumentQuery>

/** Instruments of the current dump, by exchange and tradingsymbol. */
export async function searchInstruments(call: Call, query: InstrumentQuery) {
  const after = decodeCursor(query.cursor, z.tuple([cursorText, cursorText]))
  const conditions: SQL[] = [sql`i.is_active`]
  if (query.exchange) conditions.push(sql`i.exchange = ${query.exchange}`)
  if (query.segment) conditions.push(sql`i.segment = ${query.segment}`)
  if (query.name) conditions.push(sql`i.name = ${query.name}`)
  if (query.prefix) conditions.push(sql`i.tradingsymbol like ${`${escapeLike(query.prefix)}%`}`)
  if (query.expiry) conditions.push(sql`i.expiry = ${query.expiry}::date`)
  if (query.strike_min !== undefined) conditions.push(sql`i.strike >= ${query.strike_min}::numeric`)
  if (query.strike_max !== undefined) conditions.push(sql`i.strike <= ${query.strike_max}::numeric`)
  if (query.type) conditions.push(sql`i.instrument_type = ${query.type}`)
  if (after) conditions.push(sql`(i.exchange, i.tradingsymbol) > (${after[0]}, ${after[1]})`)
  const rows = await call.deps.db.rows(
    row,
    sql`select ${INSTRUMENT_JSON} as instrument from ticker.instruments i
      where ${sql.join(conditions, sql` and `)}
      order by i.exchange, i.tradingsymbol limit ${query.limit + 1}`,
  )
  return pageOf(
    rows.map((found) => found.instrument),
    query.limit,
    (found) => [found.exchange, found.tradingsymbol],
  )
}

/** By token or exchange:tradingsymbol; what the dump does not list by that name may be an alias. */
export async function getInstrument(call: Call, ref: string): Promise<Outcome<InstrumentDetail>> {
  const exact = conditionOf(ref)
  const alias = /^\d+$/.test(ref) ? undefined : keyOfAlias(ref)
  const aliased = alias === undefined ? undefined : conditionOf(alias)
  if (!exact && !aliased) {
    return refused('invalid_request', {
      errors: [{ path: 'ref', message: 'a token or EXCHANGE:TRADINGSYMBOL, URL-encoded' }],
    })
  }
  const rows = await call.deps.db.rows(
    z.object({ instrument, exact: z.boolean() }),
    sql`select ${INSTRUMENT_JSON} as instrument, (${exact ?? sql`false`}) as exact from ticker.instruments i
      where i.is_active and ((${exact ?? sql`false`}) or (${aliased ?? sql`false`}))`,
  )
  const found = rows.find((each) => each.exact) ?? rows[0]
  return found
    ? done(detailOf(found.instrument, istDay(call.deps.clock.nowMs())))
    : refused('instrument_not_found')
}

function detailOf(found: Instrument, today: string): InstrumentDetail {
  const isDerivative = found.expiry !== null
  const isUnits = found.tradable && isInUnits(found.exchange)
  const { multiplier, ...terms } = (!isUnits && multiplierOf(found, today)) || { multiplier: null }
  return {
    ...found,
    underlying: (isDerivative && spotKey(found)) || null,
    multiplier: isUnits ? 1 : multiplier,
    multiplier_terms: 'source' in terms ? terms : null,
    price_protection: priceProtectionOf(found, today) ?? null,
    freeze_quantity:
      (isDerivative && CASH_EXCHANGE.has(found.exchange) && freezeQuantityOf(found.name, today)) || null,
  }
}

/** Undefined: neither a token nor exchange:tradingsymbol. */
export function conditionOf(ref: string): SQL | undefined {
  if (/^\d{1,10}$/.test(ref)) return sql`i.instrument_token = ${ref}::bigint`
  if (!instrumentKey.safeParse(ref).success) return undefined
  const key = splitInstrumentKey(ref)
  return sql`i.exchange = ${key.exchange} and i.tradingsymbol = ${key.tradingsymbol}`
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, (character) => `\\${character}`)
}
