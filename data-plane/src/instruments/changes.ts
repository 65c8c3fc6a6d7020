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
const PAIRS = COLUMNS.map((column) => `('${column}', ${textOf(`b_${column}`)}, ${textOf(`d_${column}`)})`)

export type ChangeCounts = Partial<Record<InstrumentChangeKind, number>>

const counted = z.object({ change: z.enum(INSTRUMENT_CHANGES), n: z.int() })

/**
 * A token alone says nothing, they are reused after expiry: renamed is a contract whose token is now another symbol's of
 * the same underlying, type and expiry (as after a corporate action).
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
     ), stored as (
       insert into ticker.instrument_changes (snapshot_id, exchange, tradingsymbol, name, change, before, after)
       select $1::bigint, exchange, tradingsymbol, name, pair.change, pair.before, pair.after
       from differing cross join lateral (values ${PAIRS.join(', ')}) as pair(change, before, after)
       where listed and pair.before is distinct from pair.after
       union all
       select $1::bigint, b.exchange, b.tradingsymbol, b.name, case when r.exchange is null then 'gone' else 'tradingsymbol' end,
         case when r.exchange is null then null else b.tradingsymbol end, r.tradingsymbol
       from differing b left join dump r on r.instrument_token = b.b_instrument_token and r.exchange = b.exchange
         and (r.name = b.name or b.b_expiry is null) and r.instrument_type = b.instrument_type
         and r.expiry is not distinct from b.b_expiry
       where not b.listed
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
