import { type SQL, sql } from 'drizzle-orm'
import type { Actor } from '../auth/actor.ts'

/** The instance `i` that has the ticks of the actor's owner: they are where its accounts are served. */
export function instanceOf({ owner }: Actor): SQL {
  return sql`(select * from ticker.instances i where i.lease_until > now() and i.status = 'running'
    order by exists (select 1 from ticker.accounts a
      where a.owner_instance_id = i.id and a.owner = ${owner}) desc, i.started_at limit 1) as i`
}
