// What the dump says otherwise about contracts that have not expired: their lot, strike, tick, expiry or token, another
// symbol for the same contract, or that it is gone. Read between the temporary table `dump` and the registry, before
// the one becomes the other. An owner of positions must hear of it: orders in the old lot are refused.
import { INSTRUMENT_CHANGES, type InstrumentChangeKind } from '@ticker/shared/domain'
import type pg from 'pg'
import { z } from 'zod'

const DIFFERENCES = ['instrument_token', 'lot_size', 'tick_size', 'strike', 'expiry'] as const
/** 410.75, not 410.7500. */
const textOf = (column: string) =>
  /strike|tick_size/.test(column) ? `trim_scale(${column})::text` : `${column}::text`

export type ChangeCounts = Partial<Record<InstrumentChangeKind, number>>

const counted = z.object({ change: z.enum(INSTRUMENT_CHANGES), n: z.int() })

/**
 * A token alone says nothing, they are reused after expiry: renamed is a contract whose token is now another symbol's of
 * the same underlying, type and expiry (as after a corporate action).
 */
export async function recordChanges(client: pg.PoolClient, snapshotId: number): Promise<ChangeCounts> {
  const differences = DIFFERENCES.map(
    (
      column,
    ) => `select b.exchange, b.tradingsymbol, b.name, '${column}', ${textOf(`b.${column}`)}, ${textOf(`d.${column}`)}
       from before b join dump d using (exchange, tradingsymbol) where b.${column} is distinct from d.${column}`,
  ).join(' union all ')
  const { rows } = await client.query(
    `with before as materialized (
       select * from ticker.instruments
       where is_active and (expiry is null or expiry >= (now() at time zone 'Asia/Kolkata')::date)
     ), missing as materialized (
       select b.*, r.tradingsymbol as renamed_to from before b
       left join dump d on d.exchange = b.exchange and d.tradingsymbol = b.tradingsymbol
       left join dump r on r.instrument_token = b.instrument_token and r.exchange = b.exchange
         and (r.name = b.name or b.expiry is null) and r.instrument_type = b.instrument_type
         and r.expiry is not distinct from b.expiry
       where d.exchange is null
     ), stored as (
       insert into ticker.instrument_changes (snapshot_id, exchange, tradingsymbol, name, change, before, after)
       select $1::bigint, c.* from (
         ${differences}
         union all
         select exchange, tradingsymbol, name, case when renamed_to is null then 'gone' else 'tradingsymbol' end,
           case when renamed_to is null then null else tradingsymbol end, renamed_to from missing
       ) c
       returning change
     )
     select change, count(*)::int as n from stored group by change order by change`,
    [snapshotId],
  )
  return Object.fromEntries(
    z
      .array(counted)
      .parse(rows)
      .map(({ change, n }) => [change, n]),
  )
}
