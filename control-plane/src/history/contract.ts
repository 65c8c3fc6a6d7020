// Which contract a history is of. Expired ones are found too: what was kept of them is all that there is.
import { istDay, keyOfAlias, splitInstrumentKey, spotKey } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { conditionOf } from '../instruments/search.ts'

const contract = z.object({
  exchange: z.string(),
  tradingsymbol: z.string(),
  instrument_token: z.number(),
  name: z.string(),
  expiry: z.string().nullable(),
  strike: z.number(),
  instrument_type: z.string(),
  is_active: z.boolean(),
})
export type Contract = z.infer<typeof contract>
export type OptionContract = Contract & { expiry: string; instrument_type: 'CE' | 'PE' }

const CONTRACT_JSON = sql`jsonb_build_object('exchange', i.exchange, 'tradingsymbol', i.tradingsymbol,
  'instrument_token', i.instrument_token, 'name', i.name, 'expiry', i.expiry, 'strike', i.strike,
  'instrument_type', i.instrument_type, 'is_active', i.is_active)`

/** By token, EXCHANGE:TRADINGSYMBOL or alias: the listed one, else the one of that name that has expired. */
export async function findContract(call: Call, ref: string): Promise<Outcome<Contract>> {
  const exact = conditionOf(ref)
  const alias = /^\d+$/.test(ref) ? undefined : keyOfAlias(ref)
  const aliased = alias === undefined ? undefined : conditionOf(alias)
  if (!exact && !aliased)
    return refused('invalid_request', {
      errors: [{ path: 'ref', message: 'a token or EXCHANGE:TRADINGSYMBOL, URL-encoded' }],
    })
  const [found] = await contracts(
    call,
    sql`(${exact ?? sql`false`}) or (${aliased ?? sql`false`})`,
    sql`i.is_active desc, ${exact ? sql`(${exact}) desc,` : sql``} i.expiry desc nulls last`,
  )
  return found && (found.is_active || isExpired(found, call)) ? done(found) : refused('instrument_not_found')
}

export const isExpired = (found: Contract, call: Call): found is Contract & { expiry: string } =>
  found.expiry !== null && found.expiry < istDay(call.deps.clock.nowMs())

export interface Underlying {
  contract: Contract
  model: 'bsm' | 'black76'
}

/** What an option's volatility is of: its index or share, else (commodities, currencies) the future it expires into. */
export async function underlyingOf(call: Call, option: OptionContract): Promise<Outcome<Underlying>> {
  const spot = spotKey(option)
  const [found] =
    spot === undefined
      ? await contracts(
          call,
          sql`i.exchange = ${option.exchange} and i.name = ${option.name} and i.instrument_type = 'FUT'
            and i.expiry >= ${option.expiry}::date`,
          sql`i.expiry`,
        )
      : await contracts(call, keyed(spot), sql`i.tradingsymbol`)
  if (!found) return refused('greeks_not_possible')
  return done({ contract: found, model: spot === undefined ? 'black76' : 'bsm' })
}

export function isOption(found: Contract): found is OptionContract {
  return found.expiry !== null && (found.instrument_type === 'CE' || found.instrument_type === 'PE')
}

/** The broker has day candles of a chain of futures there (KITE.md 6). */
export const hasContinuous = ({ exchange, instrument_type }: Contract) =>
  instrument_type === 'FUT' && (exchange === 'NFO' || exchange === 'MCX')

function keyed(key: string): SQL {
  const { exchange, tradingsymbol } = splitInstrumentKey(key)
  return sql`i.exchange = ${exchange} and i.tradingsymbol = ${tradingsymbol} and i.is_active`
}

async function contracts(call: Call, condition: SQL, order: SQL): Promise<Contract[]> {
  const rows = await call.deps.db.rows(
    z.object({ contract }),
    sql`select ${CONTRACT_JSON} as contract from ticker.instruments i where ${condition} order by ${order} limit 1`,
  )
  return rows.map((row) => row.contract)
}
