// Instruments as callers name them, resolved inside the statement that uses them.
import { type InstrumentRef, keyOfAlias, splitInstrumentKey } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'

/**
 * CTEs `ref` (one row per ref) and `found(n, exchange, tradingsymbol)`: the active instruments that refs name. A symbol
 * that the dump lists is itself; only what it does not list may be an alias.
 */
export function resolvedRefs(refs: InstrumentRef[]): SQL {
  const rows = refs.map((ref, n) => {
    if (typeof ref === 'number') return { n, t: ref }
    const { exchange, tradingsymbol } = splitInstrumentKey(ref)
    const alias = keyOfAlias(ref)
    const aliased = alias === undefined || alias === ref ? undefined : splitInstrumentKey(alias)
    return { n, e: exchange, s: tradingsymbol, ae: aliased?.exchange, as: aliased?.tradingsymbol }
  })
  return sql`ref as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(n int, t bigint, e text, s text, ae text, "as" text)
    ), listed as materialized (
      select ref.n, i.exchange, i.tradingsymbol from ref
      join ticker.instruments i on i.instrument_token = ref.t and i.is_active where ref.t is not null
      union all
      select ref.n, i.exchange, i.tradingsymbol from ref
      join ticker.instruments i on i.exchange = ref.e and i.tradingsymbol = ref.s and i.is_active
      where ref.t is null
    ), found as materialized (
      select * from listed
      union all
      select ref.n, i.exchange, i.tradingsymbol from ref
      join ticker.instruments i on i.exchange = ref.ae and i.tradingsymbol = ref."as" and i.is_active
      where not exists (select 1 from listed where listed.n = ref.n)
    )`
}
