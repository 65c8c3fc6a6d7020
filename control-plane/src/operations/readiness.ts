import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { DatabaseUnavailable } from '../database.ts'
import type { Dependencies } from '../dependencies.ts'

export const readiness = z
  .object({ ready: z.boolean(), reasons: z.array(z.string()) })
  .meta({ id: 'Readiness' })

/** Why this deployment cannot do its work right now; counts only, as anyone may ask. */
export async function readReadiness(deps: Dependencies): Promise<z.output<typeof readiness>> {
  const reasons: string[] = []
  try {
    const [row] = await deps.db.rows(
      z.object({ realm: z.string().nullable(), instances: z.int(), unowned: z.int() }),
      sql`with live as (select id from ticker.instances where lease_until > now() and status = 'running')
        select (select realm from ticker.deployment) as realm,
          (select count(*) from live)::int as instances,
          (select count(*) from ticker.accounts a where a.status = 'active'
            and (a.owner_instance_id is null or a.owner_instance_id not in (select id from live)))::int as unowned`,
    )
    if (row && row.realm !== deps.config.realm) {
      reasons.push(`the database is of realm ${row.realm}, REALM is ${deps.config.realm}`)
    }
    if (row?.instances === 0) reasons.push('no data-plane instance is alive')
    if (row && row.unowned > 0) reasons.push(`${row.unowned} active accounts have no live owner`)
  } catch (error) {
    if (!(error instanceof DatabaseUnavailable)) deps.log('error', 'readiness_failed', { error })
    reasons.push('the database does not answer')
  }
  if ((await deps.commandChannel.probe()) !== 'closed')
    reasons.push('the command channel is open: Redis fails')
  return { ready: reasons.length === 0, reasons }
}
