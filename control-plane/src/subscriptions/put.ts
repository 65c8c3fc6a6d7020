// Put many: all of it or nothing of it, in one statement. What it cannot do is named; what is the same stays as it is.
import type { InstrumentRef, subscriptionPut } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LIVE_INSTANCES, nudgeList } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import { pinnedElsewhere } from '../auth/pins.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { changed } from './change.ts'
import { resolvedRefs } from './refs.ts'

export type SubscriptionPut = z.output<typeof subscriptionPut>
export interface PutResult {
  upserted: number
  unchanged: number
  warnings: string[]
}

const UNKNOWN_LISTED_MAX = 50

const verdict = z.object({
  missing: z.array(z.int()),
  foreign_pins: z.int(),
  pin_found: z.boolean(),
  wanted: z.int(),
  room: z.int(),
  pinned: z.int(),
  pin_room: z.int(),
  sessions: z.int(),
  asked: z.int(),
  upserted: z.int(),
  nudge: nudgeList,
})

export async function putSubscriptions(call: Call, input: SubscriptionPut): Promise<Outcome<PutResult>> {
  const { actor, deps } = call
  const pin = input.account_id ?? null
  if (pin !== null && !mayUse(actor, pin)) return refused('account_not_allowed')
  const [row] = await deps.db.rows(
    verdict,
    sql`with ${resolvedRefs(input.instruments)}, wanted as materialized (
        select distinct exchange, tradingsymbol from found
      ), mine as materialized (
        select id, case when market_data then max_connections * max_instruments_per_connection else 0 end as room,
          market_data and exists (select 1 from ticker.sessions s where s.account_id = a.id and s.version = a.session_version
            and s.status = 'active' and s.expires_at > now()) as live
        from ticker.accounts a where owner = ${actor.owner} and status = 'active'
      ), verdict as materialized (
        select
          coalesce((select jsonb_agg(n order by n) from ref where not exists (select 1 from found where found.n = ref.n)),
            '[]'::jsonb) as missing,
          (select count(*) from ticker.subscriptions s join wanted using (exchange, tradingsymbol)
            where s.owner = ${actor.owner} and s.source = ${input.source} and ${pinnedElsewhere(actor)})::int as foreign_pins,
          ${pin}::text is null or exists (select 1 from mine where id = ${pin}::text) as pin_found,
          (select count(*) from (
            select exchange, tradingsymbol from ticker.subscriptions where owner = ${actor.owner}
            union select exchange, tradingsymbol from wanted) u)::int
            + (select coalesce(sum(instruments_max), 0) from ticker.strike_ladders
                where owner = ${actor.owner})::int as wanted,
          coalesce((select sum(room) from mine), 0)::int as room,
          (select count(*) from (
            select exchange, tradingsymbol from ticker.subscriptions
              where owner = ${actor.owner} and account_id = ${pin}::text
            union select exchange, tradingsymbol from wanted where ${pin}::text is not null) u)::int
            + (select coalesce(sum(instruments_max), 0) from ticker.strike_ladders
                where owner = ${actor.owner} and account_id = ${pin}::text)::int as pinned,
          coalesce((select room from mine where id = ${pin}::text), 0)::int as pin_room,
          (select count(*) from mine where live)::int as sessions,
          (select count(*) from wanted)::int as asked
      ), upserted as (
        insert into ticker.subscriptions as subscribed
          (exchange, tradingsymbol, source, mode, owner, account_id, created_by)
        -- Sorted, so that two callers who touch the same rows lock them in the same order.
        select exchange, tradingsymbol, ${input.source}, ${input.mode}, ${actor.owner}, ${pin}, ${actor.key_id}
        from wanted, verdict v
        where v.missing = '[]'::jsonb and v.foreign_pins = 0 and v.pin_found and v.wanted <= v.room
          and (${pin}::text is null or v.pinned <= v.pin_room)
        order by exchange, tradingsymbol
        on conflict (exchange, tradingsymbol, owner, source) do update
          set mode = excluded.mode, account_id = excluded.account_id, created_by = excluded.created_by, updated_at = now()
          where (subscribed.mode, subscribed.account_id) is distinct from (excluded.mode, excluded.account_id)
        returning exchange, tradingsymbol
      ), ${changed(sql`upserted`, actor.owner, input.source)}
      select v.*, (select count(*) from upserted)::int as upserted, ${LIVE_INSTANCES} as nudge from verdict v`,
  )
  if (!row) throw new Error('the verdict is always one row')
  if (row.missing.length > 0) return unknownInstruments(input.instruments, row.missing)
  if (row.foreign_pins > 0) return refused('account_not_allowed')
  if (!row.pin_found) return refused('account_not_found')
  if (row.wanted > row.room) {
    return refused('subscription_limit', {
      detail: `${row.wanted} instruments wanted, room for ${row.room}.`,
    })
  }
  if (pin !== null && row.pinned > row.pin_room) {
    return refused('subscription_limit', {
      detail: `${row.pinned} instruments pinned to ${pin}, which has room for ${row.pin_room}.`,
    })
  }
  if (row.upserted > 0) call.defer(deps.commandChannel.nudge('fleet', row.nudge))
  const warnings = row.sessions === 0 ? ['No account of yours is logged in: ticks begin after a login.'] : []
  return done({ upserted: row.upserted, unchanged: row.asked - row.upserted, warnings })
}

function unknownInstruments(refs: InstrumentRef[], missing: number[]): Outcome<never> {
  return refused('instrument_unknown', {
    detail: `${missing.length} of ${refs.length} are not in the current dump.`,
    errors: missing.slice(0, UNKNOWN_LISTED_MAX).map((n) => ({
      path: `instruments.${n}`,
      message: `${refs[n]} is not in the current dump`,
    })),
  })
}
