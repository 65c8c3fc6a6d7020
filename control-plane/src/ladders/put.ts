// One statement looks at the registry and the room, and stores the rule only when all of it holds.
import {
  CASH_EXCHANGE,
  LADDERS_PER_OWNER_MAX,
  ladderInstrumentsMax,
  splitInstrumentKey,
  spotKey,
  strikeLadder,
  type strikeLadderPut,
  type strikeLadderPutResult,
  underlyingOf,
} from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { LIVE_INSTANCES, nudgeList } from '../accounts/rows.ts'
import { byKey, mayUse } from '../auth/actor.ts'
import { auditInsert } from '../auth/audit.ts'
import { pinnedElsewhere } from '../auth/pins.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, type Refusal, refused } from '../http/problem.ts'
import { ladderJson } from './rows.ts'

export type LadderPut = z.output<typeof strikeLadderPut>
export type LadderPutResult = z.output<typeof strikeLadderPutResult>

const verdict = z.object({
  chains: z.array(z.object({ exchange: z.string(), expiries: z.int(), followable: z.boolean() })),
  foreign_pin: z.boolean(),
  pin_found: z.boolean(),
  ladders: z.int(),
  wanted: z.int(),
  room: z.int(),
  pinned: z.int(),
  pin_room: z.int(),
  sessions: z.int(),
  changed: z.boolean(),
  ladder: strikeLadder.nullable(),
  nudge: nudgeList,
})
type Verdict = z.output<typeof verdict>

export async function putLadder(call: Call, id: string, input: LadderPut): Promise<Outcome<LadderPutResult>> {
  const { actor, deps } = call
  const pin = input.account_id ?? null
  if (pin !== null && !mayUse(actor, pin)) return refused('account_not_allowed')
  const underlying = input.underlying ?? underlyingOf(id)
  const instrumentsMax = ladderInstrumentsMax(input)
  const types = sql`(select array_agg(value order by value)
    from jsonb_array_elements_text(${JSON.stringify(input.option_types)}::jsonb))`
  const others = sql`ticker.strike_ladders where owner = ${actor.owner} and id <> ${id}`
  const [row] = await deps.db.rows(
    verdict,
    sql`with ${chainsOf(underlying)}, chosen as materialized (
        select * from chain where ${input.exchange ?? null}::text is null or exchange = ${input.exchange ?? null}::text
      ), mine as materialized (
        select id, case when market_data then max_connections * max_instruments_per_connection else 0 end as room,
          market_data and exists (select 1 from ticker.sessions s where s.account_id = a.id and s.version = a.session_version
            and s.status = 'active' and s.expires_at > now()) as live
        from ticker.accounts a where owner = ${actor.owner} and status = 'active'
      ), verdict as materialized (
        select
          coalesce((select jsonb_agg(jsonb_build_object('exchange', exchange, 'expiries', expiries,
            'followable', followable) order by exchange) from chosen), '[]'::jsonb) as chains,
          exists (select from ticker.strike_ladders s where owner = ${actor.owner} and id = ${id}
            and ${pinnedElsewhere(actor)}) as foreign_pin,
          ${pin}::text is null or exists (select 1 from mine where id = ${pin}::text) as pin_found,
          1 + (select count(*) from ${others})::int as ladders,
          ${instrumentsMax}::int
            + (select count(distinct (exchange, tradingsymbol)) from ticker.subscriptions where owner = ${actor.owner})::int
            + (select coalesce(sum(instruments_max), 0) from ${others})::int as wanted,
          coalesce((select sum(room) from mine), 0)::int as room,
          ${instrumentsMax}::int
            + (select count(distinct (exchange, tradingsymbol)) from ticker.subscriptions
                where owner = ${actor.owner} and account_id = ${pin}::text)::int
            + (select coalesce(sum(instruments_max), 0) from ${others} and account_id = ${pin}::text)::int as pinned,
          coalesce((select room from mine where id = ${pin}::text), 0)::int as pin_room,
          (select count(*) from mine where live)::int as sessions
      ), before as materialized (
        select * from ticker.strike_ladders where owner = ${actor.owner} and id = ${id}
      ), upserted as (
        insert into ticker.strike_ladders as known (owner, id, revision, underlying, exchange, strikes, expiries,
          option_types, futures, mode, account_id, instruments_max, created_by)
        select ${actor.owner}, ${id}, gen_random_uuid(), ${underlying}, c.exchange, ${input.strikes}::int,
          ${input.expiries}::int, ${types}, ${input.futures}::boolean, ${input.mode}, ${pin},
          ${instrumentsMax}::int, ${actor.key_id}
        from verdict v, chosen c
        where (select count(*) from chosen) = 1 and c.followable and not v.foreign_pin and v.pin_found
          and v.ladders <= ${LADDERS_PER_OWNER_MAX}::int and v.wanted <= v.room
          and (${pin}::text is null or v.pinned <= v.pin_room)
        on conflict (owner, id) do update set revision = excluded.revision, underlying = excluded.underlying,
          exchange = excluded.exchange, strikes = excluded.strikes, expiries = excluded.expiries,
          option_types = excluded.option_types, futures = excluded.futures, mode = excluded.mode,
          account_id = excluded.account_id, instruments_max = excluded.instruments_max,
          created_by = excluded.created_by, updated_at = now()
        where (known.underlying, known.exchange, known.strikes, known.expiries, known.option_types, known.futures,
            known.mode, known.account_id)
          is distinct from (excluded.underlying, excluded.exchange, excluded.strikes, excluded.expiries,
            excluded.option_types, excluded.futures, excluded.mode, excluded.account_id)
        returning *
      ), reset as (
        -- Where the money of another underlying was says nothing of this one.
        delete from ticker.strike_ladder_states s using before b, upserted u
        where s.owner = b.owner and s.id = b.id and (b.underlying, b.exchange) <> (u.underlying, u.exchange)
        returning s.id
      ), moved as (
        update ticker.fleet set ladders_version = ladders_version + 1 where exists (select 1 from upserted)
      ), audited as (${auditInsert(
        {
          auditor: byKey(actor),
          action: 'strike_ladder.put',
          subject: id,
          outcome: 'allowed',
          requestId: call.requestId,
          detail: { ...input, underlying },
        },
        sql`upserted`,
      )}), l as (
        select * from upserted union all select * from before where not exists (select 1 from upserted)
      )
      select v.*, exists (select 1 from upserted) as changed, ${LIVE_INSTANCES} as nudge,
        (select ${ladderJson} from l left join ticker.strike_ladder_states s
          on s.owner = l.owner and s.id = l.id and not exists (select 1 from reset)) as ladder
      from verdict v`,
  )
  if (!row) throw new Error('the verdict is always one row')
  const refusal = refusalOf(row, input, underlying)
  if (refusal) return { ok: false, refusal }
  if (!row.ladder) throw new Error('a stored ladder was not returned')
  if (row.changed) call.defer(deps.commandChannel.nudge('fleet', row.nudge))
  return done({ ...row.ladder, warnings: warningsOf(row, input) })
}

/** CTE `chain(exchange, expiries, followable)`: where live options of that name are listed. */
function chainsOf(underlying: string): SQL {
  const spots = [...CASH_EXCHANGE.keys()].map((exchange) => {
    const { exchange: x, tradingsymbol: s } = splitInstrumentKey(
      spotKey({ exchange, name: underlying }) ?? '',
    )
    return { e: exchange, x, s }
  })
  return sql`live as materialized (
      select exchange, expiry, instrument_type from ticker.instruments
      where is_active and name = ${underlying} and expiry >= (now() at time zone 'Asia/Kolkata')::date
    ), chain as materialized (
      select o.exchange, count(distinct o.expiry)::int as expiries,
        exists (select 1 from live f where f.exchange = o.exchange and f.instrument_type = 'FUT')
          or exists (select 1 from jsonb_to_recordset(${JSON.stringify(spots)}::jsonb) as spot(e text, x text, s text)
            join ticker.instruments i on i.exchange = spot.x and i.tradingsymbol = spot.s and i.is_active
            where spot.e = o.exchange) as followable
      from live o where o.instrument_type in ('CE', 'PE') group by o.exchange
    )`
}

function refusalOf(row: Verdict, input: LadderPut, underlying: string): Refusal | undefined {
  const [chain, second] = row.chains
  if (!chain) {
    const where = input.exchange === undefined ? '' : ` on ${input.exchange}`
    return { code: 'underlying_unknown', detail: `No live option of "${underlying}" is listed${where}.` }
  }
  if (second) {
    const names = row.chains.map(({ exchange }) => exchange).join(', ')
    const message = `options of ${underlying} trade on ${names}: say which`
    return { code: 'invalid_request', errors: [{ path: 'exchange', message }] }
  }
  if (!chain.followable) {
    return { code: 'underlying_unknown', detail: `No listed instrument gives the price of "${underlying}".` }
  }
  if (row.foreign_pin) return { code: 'account_not_allowed' }
  if (!row.pin_found) return { code: 'account_not_found' }
  const limit = (detail: string): Refusal => ({ code: 'subscription_limit', detail })
  if (row.ladders > LADDERS_PER_OWNER_MAX) return limit(`At most ${LADDERS_PER_OWNER_MAX} ladders.`)
  if (row.wanted > row.room) {
    return limit(`${row.wanted} instruments wanted at most, this ladder's included; room for ${row.room}.`)
  }
  if (input.account_id !== undefined && row.pinned > row.pin_room) {
    return limit(
      `${row.pinned} instruments pinned to ${input.account_id} at most; it has room for ${row.pin_room}.`,
    )
  }
  return undefined
}

function warningsOf(row: Verdict, input: LadderPut): string[] {
  const listed = row.chains[0]?.expiries ?? 0
  return [
    ...(row.sessions === 0 ? ['No account of yours is logged in: the ladder begins after a login.'] : []),
    ...(listed < input.expiries ? [`${listed} of ${input.expiries} expiries are listed now.`] : []),
  ]
}
