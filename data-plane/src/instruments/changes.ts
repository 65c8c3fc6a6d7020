// What the dump says otherwise about contracts that have not expired: their lot, strike, tick, expiry or token, another
// symbol for the same contract, or that it is gone. Read between the temporary table `dump` and the registry, before
// the one becomes the other. An owner of positions must hear of it: orders in the old lot are refused.
import { INSTRUMENT_CHANGES, type InstrumentChangeKind } from '@ticker/shared/domain'
import type pg from 'pg'
import { z } from 'zod'
import { wholeDump } from './whole-dump.ts'

const COLUMNS = ['instrument_token', 'lot_size', 'tick_size', 'strike', 'expiry'] as const
const of = (row: string) => COLUMNS.map((column) => `${row}.${column}`).join(', ')
/** 410.75, not 410.7500. */
const textOf = (column: string) =>
  /strike|tick_size/.test(column) ? `trim_scale(${column})::text` : `${column}::text`
/** Rows of (column, text before, text after). */
const PAIRS = COLUMNS.map(
  (column) => `('${column}', ${textOf(`b_${column}`)}, ${textOf(`d_${column}`)})`,
).join(', ')

export type ChangeCounts = Partial<Record<InstrumentChangeKind, number>>

const counted = z.object({ change: z.enum(INSTRUMENT_CHANGES), n: z.int() })

/**
 * A token alone says nothing, they are reused after expiry: renamed is a contract whose token is now another symbol's of
 * the same underlying, type and expiry (as after a corporate action). Of an underlying that was renamed itself, all of
 * them are: the old name lists no contract any more, the new one listed none before.
 */
export async function recordChanges(client: pg.PoolClient, snapshotId: number): Promise<ChangeCounts> {
  // The two are joined once, and what differs is little: the rest of the statement works on that.
  const { rows } = await client.query(
    wholeDump(
      `with differing as materialized (
       select b.exchange, b.tradingsymbol, b.name, b.instrument_type, d.exchange is not null as listed,
         ${COLUMNS.map((column) => `b.${column} as b_${column}, d.${column} as d_${column}`).join(', ')}
       from ticker.instruments b
       left join dump d on d.exchange = b.exchange and d.tradingsymbol = b.tradingsymbol
       where b.is_active and (b.expiry is null or b.expiry >= (now() at time zone 'Asia/Kolkata')::date)
         and (d.exchange is null or (${of('b')}) is distinct from (${of('d')}))
     ), same_token as materialized (
       select b.exchange, b.tradingsymbol, b.name, r.name as r_name, r.tradingsymbol as r_tradingsymbol,
         ${COLUMNS.map((column) => `b.b_${column} as b_${column}, r.${column} as d_${column}`).join(', ')}
       from differing b join dump r on r.instrument_token = b.b_instrument_token and r.exchange = b.exchange
         and r.instrument_type = b.instrument_type and r.expiry is not distinct from b.b_expiry
       where not b.listed
     ), underlyings as materialized (
       select distinct s.exchange, s.name, s.r_name from same_token s
       where s.b_expiry is not null and s.r_name <> s.name
         and not exists (select 1 from dump d where d.exchange = s.exchange and d.name = s.name)
         and not exists (select 1 from ticker.instruments i
           where i.exchange = s.exchange and i.name = s.r_name and i.is_active)
     ), renamed as materialized (
       select * from same_token s where s.b_expiry is null or s.r_name = s.name
         or (s.exchange, s.name, s.r_name) in (select * from underlyings)
     ), stored as (
       insert into ticker.instrument_changes (snapshot_id, exchange, tradingsymbol, name, change, before, after)
       select $1::bigint, exchange, tradingsymbol, name, pair.change, pair.before, pair.after
       from differing cross join lateral (values ${PAIRS}) as pair(change, before, after)
       where listed and pair.before is distinct from pair.after
       union all
       select $1::bigint, exchange, tradingsymbol, name, pair.change, pair.before, pair.after
       from renamed cross join lateral (values ('tradingsymbol', tradingsymbol, r_tradingsymbol),
         ${PAIRS}) as pair(change, before, after)
       where pair.before is distinct from pair.after
       union all
       select $1::bigint, exchange, tradingsymbol, name, 'gone', null, null from differing
       where not listed and (exchange, tradingsymbol) not in (select exchange, tradingsymbol from renamed)
       returning change
     )
     select change, count(*)::int as n from stored group by change order by change`,
      [snapshotId],
    ),
  )
  return Object.fromEntries(
    z
      .array(counted)
      .parse(rows)
      .map(({ change, n }) => [change, n]),
  )
}
