// Refreshes that somebody asked for, as the control plane stored them. A row waits until it is finished: a process that
// dies on the way leaves it to the next one, and storing a dump twice does no harm.

import { REFRESH_WAITS_MINUTES_MAX } from '@ticker/shared/domain'
import type pg from 'pg'
import { z } from 'zod'

const waiting = z.object({ id: z.string(), force_sha256: z.string().nullable() })
export type AskedRefresh = z.output<typeof waiting>

export type RefreshOutcome =
  | { state: 'stored'; rowCount: number }
  /** refusedSha256: the shrink guard refused that dump; asked for by its name, it is stored. */
  | { state: 'failed'; reason: string; refusedSha256?: string | undefined }

export async function nextAskedRefresh(pool: pg.Pool): Promise<AskedRefresh | undefined> {
  await pool.query(
    `update ticker.instrument_refreshes set state = 'failed', finished_at = now(),
       reason = 'no data plane took it within ${REFRESH_WAITS_MINUTES_MAX} minutes; ask again'
     where state = 'waiting' and requested_at < now() - interval '${REFRESH_WAITS_MINUTES_MAX} minutes'`,
  )
  const { rows } = await pool.query(
    "select id, force_sha256 from ticker.instrument_refreshes where state = 'waiting'",
  )
  return waiting.optional().parse(rows[0])
}

/** One that was made forceful meanwhile is not finished: it is done again. */
export async function finishAskedRefresh(
  pool: pg.Pool,
  { id, force_sha256 }: AskedRefresh,
  outcome: RefreshOutcome,
): Promise<void> {
  await pool.query(
    `update ticker.instrument_refreshes set state = $2, reason = $3, row_count = $4, refused_sha256 = $6, finished_at = now()
     where id = $1 and force_sha256 is not distinct from $5 and state = 'waiting'`,
    [
      id,
      outcome.state,
      outcome.state === 'failed' ? outcome.reason : null,
      outcome.state === 'stored' ? outcome.rowCount : null,
      force_sha256,
      outcome.state === 'failed' ? (outcome.refusedSha256 ?? null) : null,
    ],
  )
}
