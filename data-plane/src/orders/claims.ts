// What this epoch has claimed and not settled, of places, of changes, or of writes without a tag.
import type pg from 'pg'
import type { Claim } from './intent-store.ts'

type Table = 'order_intents' | 'order_changes' | 'account_writes'

export async function claimedBy(
  pool: pg.Pool,
  table: Table,
  accountId: string,
  epoch: number,
): Promise<Claim[]> {
  const { rows } = await pool.query<{ id: string; attempts: number }>(
    `select id, attempts from ticker.${table} where account_id = $1 and state = 'SENDING' and sending_epoch = $2`,
    [accountId, epoch],
  )
  return rows.map((row) => ({ intentId: row.id, epoch, attempt: row.attempts }))
}

/**
 * UPDATE of a claim ($1 id, $2 epoch, $3 attempt) after which nothing was written. The attempt too: a statement that a
 * stalled connection delivers late must not free a newer sending.
 */
export const unclaimSql = (table: Table, returning: string) =>
  `update ticker.${table} c set state = 'QUEUED', updated_at = now()
   where c.id = $1 and c.state = 'SENDING' and c.sending_epoch = $2 and c.attempts = $3
   returning ${returning}, '{"reason":"claim not confirmed; nothing was sent"}'::jsonb as detail`
