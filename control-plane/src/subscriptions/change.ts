import { type SQL, sql } from 'drizzle-orm'

/**
 * CTEs `moved` and `logged`: the version moves once when `rows` (exchange, tradingsymbol) is not empty, and says which
 * rows of that owner and source it changed. The lock on the version's row puts the changes into one order.
 */
export function changed(rows: SQL, owner: string, source: string): SQL {
  return sql`moved as (
      update ticker.fleet set subscriptions_version = subscriptions_version + 1
      where exists (select 1 from ${rows}) returning subscriptions_version as version
    ), logged as (
      insert into ticker.subscription_changes (version, owner, source, exchanges, tradingsymbols)
      select m.version, ${owner}, ${source}, array_agg(r.exchange), array_agg(r.tradingsymbol)
      from moved m, ${rows} r group by m.version
    )`
}
