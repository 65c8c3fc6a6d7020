// Ladders in Postgres: the rules as the control plane wrote them with where the money was, and the reports of whoever
// follows them. A report that has missed a move of the money is refused, so that two instances cannot diverge.
import { z } from 'zod'
import type { Queries } from '../desired.ts'
import type { Money, StoredLadder } from './ladder.ts'

export interface LadderReport {
  owner: string
  id: string
  /** The rule it is about; a report on an older one changes nothing. */
  revision: string
  moves: number
  atms: Money
  spot: { key: string; price: number; ageMs: number } | undefined
  reason: string | null
  instrumentTokens: number[]
}

const ladderRow = z.object({
  owner: z.string(),
  id: z.string(),
  revision: z.string(),
  underlying: z.string(),
  exchange: z.string(),
  strikes: z.number(),
  expiries: z.number(),
  option_types: z.array(z.enum(['CE', 'PE'])),
  futures: z.boolean(),
  mode: z.enum(['ltp', 'quote', 'full']),
  account_id: z.string().nullable(),
  moves: z.coerce.number(),
  atms: z.record(z.string(), z.number()).transform((atms): Money => new Map(Object.entries(atms))),
})
const savedRow = z.object({ owner: z.string(), id: z.string() })

const LADDERS = `
  select l.owner, l.id, l.revision, l.underlying, l.exchange, l.strikes, l.expiries, l.option_types, l.futures, l.mode,
         l.account_id, coalesce(s.moves, 0) as moves, coalesce(s.atms, '{}'::jsonb) as atms
    from ticker.strike_ladders l
    left join ticker.strike_ladder_states s on s.owner = l.owner and s.id = l.id
   order by l.owner, l.id`

const SAVE = `
  insert into ticker.strike_ladder_states as known (owner, id, moves, atms, moved_at, spot, spot_at, spot_instrument,
    reason, instrument_tokens, reported_at)
  select l.owner, l.id, r.moves, r.atms, now(), r.spot, now() - make_interval(secs => r.spot_age_ms / 1000.0),
         r.spot_instrument, r.reason,
         coalesce((select array_agg(t::bigint) from jsonb_array_elements_text(r.tokens) t), '{}'), now()
    from jsonb_to_recordset($1::jsonb) as r(owner text, id text, revision uuid, moves bigint, atms jsonb, spot numeric,
           spot_age_ms float8, spot_instrument text, reason text, tokens jsonb)
    join ticker.strike_ladders l on l.owner = r.owner and l.id = r.id and l.revision = r.revision
   order by l.owner, l.id for key share of l
  on conflict (owner, id) do update set moves = excluded.moves, atms = excluded.atms,
    moved_at = case when known.moves = excluded.moves then known.moved_at else excluded.moved_at end,
    spot = excluded.spot, spot_at = excluded.spot_at, spot_instrument = excluded.spot_instrument,
    reason = excluded.reason, instrument_tokens = excluded.instrument_tokens, reported_at = excluded.reported_at
  where known.moves = excluded.moves - 1 or (known.moves = excluded.moves and known.atms = excluded.atms)
  returning owner, id`

export async function readLadders(db: Queries): Promise<StoredLadder[]> {
  return z.array(ladderRow).parse((await db.query(LADDERS)).rows)
}

/** Returns the ladders whose report was taken. */
export async function saveReports(
  db: Queries,
  reports: readonly LadderReport[],
): Promise<{ owner: string; id: string }[]> {
  const rows = reports.map(({ spot, atms, instrumentTokens, ...report }) => ({
    ...report,
    atms: Object.fromEntries(atms),
    spot: spot?.price,
    spot_age_ms: spot?.ageMs,
    spot_instrument: spot?.key,
    tokens: instrumentTokens,
  }))
  return z.array(savedRow).parse((await db.query(SAVE, [JSON.stringify(rows)])).rows)
}
