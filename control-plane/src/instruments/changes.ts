import { exchange, INSTRUMENT_CHANGES, instrumentChange, storedText } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { pinnedElsewhere } from '../auth/pins.ts'
import { iso } from '../database.ts'
import type { Call } from '../http/call.ts'
import { decodeCursor, pageOf, pageQuery } from '../http/pagination.ts'

export const changeQuery = pageQuery.extend({
  exchange: exchange.optional(),
  name: storedText(100).optional().meta({ description: 'Exact name of the underlying', example: 'NIFTY' }),
  change: z.enum(INSTRUMENT_CHANGES).optional(),
  since: z.iso
    .datetime({ offset: true })
    .refine((at) => at >= '2000' && at < '2200', 'a moment of this century or the next')
    // The database knows fewer offsets than the standard.
    .transform((at) => new Date(at).toISOString())
    .optional(),
  subscribed: z.stringbool().default(false).meta({ description: 'Only contracts that you subscribe' }),
})
export type ChangeQuery = z.output<typeof changeQuery>

/** What dumps said otherwise than the ones before, the newest first. */
export async function listChanges(call: Call, query: ChangeQuery) {
  const after = decodeCursor(query.cursor, z.tuple([z.int()]))
  const conditions: SQL[] = [sql`true`]
  if (query.exchange) conditions.push(sql`c.exchange = ${query.exchange}`)
  if (query.name) conditions.push(sql`c.name = ${query.name}`)
  if (query.change) conditions.push(sql`c.change = ${query.change}`)
  if (query.since) conditions.push(sql`c.at >= ${query.since}::timestamptz`)
  if (query.subscribed)
    conditions.push(sql`exists (select 1 from ticker.subscriptions s
      where s.owner = ${call.actor.owner} and not (${pinnedElsewhere(call.actor)})
        and s.exchange = c.exchange and s.tradingsymbol = c.tradingsymbol)`)
  if (after) conditions.push(sql`c.id < ${after[0]}::bigint`)
  const rows = await call.deps.db.rows(
    z.object({ change: instrumentChange }),
    sql`select jsonb_build_object('id', c.id, 'snapshot_id', c.snapshot_id, 'at', ${iso(sql`c.at`)},
        'exchange', c.exchange, 'tradingsymbol', c.tradingsymbol, 'name', c.name, 'change', c.change,
        'before', c.before, 'after', c.after) as change
      from ticker.instrument_changes c where ${sql.join(conditions, sql` and `)}
      order by c.id desc limit ${query.limit + 1}`,
  )
  return pageOf(
    rows.map(({ change }) => change),
    query.limit,
    ({ id }) => [id],
  )
}
