// Instruments as callers name them, resolved inside the statement that uses them.
import { type InstrumentRef, splitInstrumentKey } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'

/** CTEs `ref(n, t, e, s)` and `found(n, exchange, tradingsymbol)`: the active instruments that refs name. */
export function resolvedRefs(refs: InstrumentRef[]): SQL {
  const rows = refs.map((ref, n) => {
    if (typeof ref === 'number') return { n, t: ref }
    const { exchange, tradingsymbol } = splitInstrumentKey(ref)
    return { n, e: exchange, s: tradingsymbol }
  })
  return sql`ref as materialized (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as r(n int, t bigint, e text, s text)
    ), found as materialized (
      select ref.n, i.exchange, i.tradingsymbol from ref
      join ticker.instruments i on i.instrument_token = ref.t and i.is_active where ref.t is not null
      union all
      select ref.n, i.exchange, i.tradingsymbol from ref
      join ticker.instruments i on i.exchange = ref.e and i.tradingsymbol = ref.s and i.is_active
      where ref.t is null
    )`
}
