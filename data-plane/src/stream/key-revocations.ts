// Whether the API key behind a ticket was revoked or has expired. Answers are kept ≤ 4 s; when Postgres does not
// answer, the last answer (or "not revoked") stands: a ticket is short-lived by itself.
import type { Clock } from '../clock.ts'
import type { Queries } from '../market-data/desired.ts'

export type IsKeyRevoked = (keyId: string) => Promise<boolean>

/** With the check every 10 s, a revoked key is out within 15 s (DECISIONS). */
const FRESH_MS = 4_000
const KEYS_MAX = 10_000
/** A client that connects does not wait longer than this for a database that is away. */
const ANSWER_WITHIN_MS = 1_000

const REVOKED = `
  select 1 from ticker.api_keys
   where id = $1 and revoked_at is null and (expires_at is null or expires_at > now())`

export function createKeyRevocations(deps: { db: Queries; clock: Clock }): IsKeyRevoked {
  const known = new Map<string, { revoked: boolean; readMs: number }>()
  return async (keyId) => {
    const answer = known.get(keyId)
    if (answer && deps.clock.monotonicMs() - answer.readMs < FRESH_MS) return answer.revoked
    const timer = new AbortController()
    try {
      const late = deps.clock.sleep(ANSWER_WITHIN_MS, timer.signal)
      const result = await Promise.race([deps.db.query(REVOKED, [keyId]), late])
      if (!result) return answer?.revoked ?? false
      const { rowCount } = result
      known.delete(keyId)
      known.set(keyId, { revoked: rowCount === 0, readMs: deps.clock.monotonicMs() })
      const [oldest] = known.keys()
      if (known.size > KEYS_MAX && oldest !== undefined) known.delete(oldest)
      return rowCount === 0
    } catch {
      return answer?.revoked ?? false
    } finally {
      timer.abort()
    }
  }
}
