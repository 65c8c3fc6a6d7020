// Subscriptions as they are stored: all of them in pages, or those that changed since a version. A page at a time,
// because 45,000 rows in one answer cost a hundred megabytes of garbage.
import { z } from 'zod'
import type { Queries } from './desired.ts'
import type { SubscriptionSet } from './subscription-set.ts'

export const PAGE_ROWS = 5_000
/** More changed instruments than this are read with all the others. */
export const CHANGED_ROWS_MAX = 20_000

const wanted = {
  owner: z.string(),
  source: z.string(),
  /** null: not in the dump any more. */
  instrument_token: z.number().nullable(),
  account_id: z.string().nullable(),
}
const mode = z.enum(['ltp', 'quote', 'full'])
const storedRow = z.object({ ...wanted, mode, exchange: z.string(), tradingsymbol: z.string() })
/** mode null: the subscription is gone. */
const changedRow = z.object({ ...wanted, mode: mode.nullable() })
const sizeRow = z.object({ versions: z.coerce.number(), instruments: z.coerce.number() })

const PAGE = `
  select s.exchange, s.tradingsymbol, s.owner, s.source, s.mode, s.account_id,
         i.instrument_token::float8 as instrument_token
    from ticker.subscriptions s
    left join ticker.instruments i
      on i.exchange = s.exchange and i.tradingsymbol = s.tradingsymbol and i.is_active
   where (s.exchange, s.tradingsymbol, s.owner, s.source) > ($1, $2, $3, $4)
   order by s.exchange, s.tradingsymbol, s.owner, s.source limit ${PAGE_ROWS}`

const SIZE = `
  select count(*) as versions, coalesce(sum(cardinality(exchanges)), 0) as instruments
    from ticker.subscription_changes where version > $1 and version <= $2`

const CHANGES = `
  select c.owner, c.source, s.mode, s.account_id, i.instrument_token::float8 as instrument_token
    from (select distinct c.owner, c.source, k.exchange, k.tradingsymbol
            from ticker.subscription_changes c
           cross join unnest(c.exchanges, c.tradingsymbols) as k(exchange, tradingsymbol)
           where c.version > $1 and c.version <= $2) c
    left join ticker.subscriptions s
      on s.exchange = c.exchange and s.tradingsymbol = c.tradingsymbol and s.owner = c.owner and s.source = c.source
    left join ticker.instruments i
      on i.exchange = c.exchange and i.tradingsymbol = c.tradingsymbol and i.is_active`

/** All of them into an empty set. Rows that change meanwhile are among the changes after the version read before. */
export async function readSubscriptions(db: Queries, into: SubscriptionSet): Promise<void> {
  let after = ['', '', '', '']
  for (;;) {
    const page = z.array(storedRow).parse((await db.query(PAGE, after)).rows)
    for (const { owner, source, instrument_token: token, mode, account_id } of page) {
      if (token !== null) into.put(owner, source, token, mode, account_id)
    }
    const last = page.at(-1)
    if (!last || page.length < PAGE_ROWS) return
    after = [last.exchange, last.tradingsymbol, last.owner, last.source]
  }
}

/** Brings the set from one version to a later one; false: not possible, everything has to be read. */
export async function applyChanges(
  db: Queries,
  set: SubscriptionSet,
  from: number,
  to: number,
): Promise<boolean> {
  const size = sizeRow.parse((await db.query(SIZE, [from, to])).rows[0])
  if (size.versions !== to - from || size.instruments > CHANGED_ROWS_MAX) return false
  const changes = z.array(changedRow).parse((await db.query(CHANGES, [from, to])).rows)
  for (const { owner, source, instrument_token: token, mode, account_id } of changes) {
    if (token === null) continue
    if (mode === null) set.remove(owner, source, token)
    else set.put(owner, source, token, mode, account_id)
  }
  return true
}
