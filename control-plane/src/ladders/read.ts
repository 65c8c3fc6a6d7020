import { strikeLadder, strikeLadderDetail } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Actor } from '../auth/actor.ts'
import { pinnedElsewhere } from '../auth/pins.ts'
import type { Call } from '../http/call.ts'
import { cursorText, decodeCursor, pageOf } from '../http/pagination.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import type { LadderQuery } from './index.ts'
import { ladderJson, withState } from './rows.ts'

/** Ladders `l` of the key's owner, but for those pinned to accounts that it may not use. */
const visibleTo = (actor: Actor) =>
  sql`l.owner = ${actor.owner} and not (${pinnedElsewhere(actor, sql`l.account_id`)})`

export async function listLadders(call: Call, query: LadderQuery) {
  const after = decodeCursor(query.cursor, z.tuple([cursorText]))
  const rows = await call.deps.db.rows(
    z.object({ ladder: strikeLadder }),
    sql`select ${ladderJson} as ladder from ticker.strike_ladders l ${withState}
      where ${visibleTo(call.actor)}
        and ${query.underlying === undefined ? sql`true` : sql`l.underlying = ${query.underlying}`}
        and ${after ? sql`l.id > ${after[0]}` : sql`true`}
      order by l.id limit ${query.limit + 1}`,
  )
  return pageOf(
    rows.map((row) => row.ladder),
    query.limit,
    (ladder) => [ladder.id],
  )
}

export async function getLadder(
  call: Call,
  id: string,
): Promise<Outcome<z.output<typeof strikeLadderDetail>>> {
  const [row] = await call.deps.db.rows(
    z.object({ ladder: strikeLadderDetail }),
    sql`select ${ladderJson} || jsonb_build_object('instruments', coalesce(
        (select jsonb_agg(jsonb_build_object('instrument_token', i.instrument_token, 'exchange', i.exchange,
            'tradingsymbol', i.tradingsymbol, 'expiry', i.expiry, 'strike', i.strike,
            'instrument_type', i.instrument_type) order by i.expiry nulls first, i.strike, i.instrument_type)
          from ticker.instruments i where i.is_active and i.instrument_token = any(s.instrument_tokens)),
        '[]'::jsonb)) as ladder
      from ticker.strike_ladders l ${withState} where ${visibleTo(call.actor)} and l.id = ${id}`,
  )
  return row ? done(row.ladder) : refused('ladder_not_found')
}
