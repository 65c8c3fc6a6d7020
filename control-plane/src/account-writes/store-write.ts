// Stores a GTT write or a conversion, once per (account, Idempotency-Key), if nothing keeps it from being sent now. One statement
// decides and stores; nothing is sent from here.
import { newId, type WriteKind } from '@ticker/shared/domain'
import { type SQL, sql } from 'drizzle-orm'
import { z } from 'zod'
import { LISTENERS, nudgeList } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import type { Call } from '../http/call.ts'
import { done, type FieldError, type Outcome, refused } from '../http/problem.ts'
import { requestHash } from '../orders/request-hash.ts'

export interface NewWrite {
  accountId: string
  kind: WriteKind
  subject: string
  /** null: of a delete. */
  request: object | null
  triggerId: string | null
  expiresInS: number
  /** What must be ticks and lots of the instrument; absent: none is looked up. */
  instrument?: { exchange: string; tradingsymbol: string; prices: FieldValue[]; quantities: FieldValue[] }
  /** Whether the broker would take it as far as we know: a CTE-free expression of the code of its refusal, null: it would. */
  objection?: SQL
}
export interface FieldValue {
  path: string
  value: number
}
export interface StoredWrite {
  id: string
  replayed: boolean
}

const verdict = z.object({
  account: z
    .object({
      ...{ status: z.string(), trading: z.boolean(), gate: z.string().nullable() },
      ...{ session_live: z.boolean(), nudge: nudgeList },
    })
    .nullable(),
  instrument: z.object({ tradable: z.boolean(), lot_size: z.number(), tick_size: z.number() }).nullable(),
  objection: z.string().nullable(),
  stored: z.object({ id: z.string(), request_sha256: z.string() }).nullable(),
})
type Verdict = z.output<typeof verdict>

export async function storeWrite(call: Call, key: string, write: NewWrite): Promise<Outcome<StoredWrite>> {
  if (!mayUse(call.actor, write.accountId)) return refused('account_not_allowed')
  const { accountId, kind, subject, request, triggerId, expiresInS, instrument } = write
  const hash = await requestHash({ kind, subject, request, triggerId })
  const id = newId(kind === 'convert' ? 'cnv' : 'gtw')
  const isDelete = kind === 'gtt_delete'
  const multiples = (of: FieldValue[], unit: SQL) =>
    of.length === 0
      ? sql`true`
      : sql.join(
          of.map(({ value }) => sql`coalesce(${value}::numeric % ${unit} = 0, true)`),
          sql` and `,
        )
  const [row] = await call.deps.db.rows(
    verdict,
    sql`with account as materialized (
        select a.id, a.status, a.trading, ${LISTENERS} as nudge,
          case when f.trading_state = 'HALTED' then concat_ws(': ', 'Trading is halted for the whole fleet', f.trading_state_reason)
            when a.trading_state = 'HALTED' then concat_ws(' ', 'Trading is halted for this account:', a.trading_state_reason)
            else a.order_gate_reason end as gate,
          coalesce(s.status = 'active' and s.expires_at > now(), false) as session_live
        from ticker.accounts a cross join ticker.fleet f
        left join ticker.sessions s on s.account_id = a.id and s.version = a.session_version
        where a.id = ${accountId} and a.owner = ${call.actor.owner}
      ), instrument as materialized (
        select i.lot_size, i.tick_size, (i.instrument_token & 255) <> 9 as tradable,
          ${multiples(instrument?.prices ?? [], sql`nullif(i.tick_size, 0)`)} as prices_ok,
          ${multiples(instrument?.quantities ?? [], sql`greatest(i.lot_size, 1)`)} as lots_ok
        from ticker.instruments i
        where i.exchange = ${instrument?.exchange ?? ''} and i.tradingsymbol = ${instrument?.tradingsymbol ?? ''} and i.is_active
      ), objected as materialized (select ${write.objection ?? sql`null::text`} as objection
      ), previous as materialized (
        select w.* from ticker.account_writes w join account on w.account_id = account.id where w.idempotency_key = ${key}
      ), inserted as (
        insert into ticker.account_writes as w
          (id, account_id, idempotency_key, request_sha256, kind, subject, request, trigger_id, deadline, created_by)
        select ${id}, account.id, ${key}, ${hash}, ${kind}, ${subject}, ${request === null ? null : JSON.stringify(request)}::jsonb,
          ${triggerId}, now() + make_interval(secs => ${expiresInS}::int), ${call.actor.key_id}
        from account cross join objected
        where not exists (select from previous) and account.status = 'active' and account.session_live
          and objected.objection is null and (${isDelete}::boolean or (account.trading and account.gate is null))
          and (${instrument === undefined}::boolean
            or exists (select from instrument i where i.tradable and i.prices_ok and i.lots_ok))
        -- Of two at once the second waits here for the first, and gets its row.
        on conflict (account_id, idempotency_key) do update set idempotency_key = excluded.idempotency_key
        returning w.*
      ), counted as (
        update ticker.accounts a set event_seq = a.event_seq + 1
        from inserted where inserted.id = ${id} and a.id = inserted.account_id returning a.id, a.event_seq
      ), event as (
        insert into ticker.order_events (account_id, seq, kind, detail)
        select id, event_seq, ${`${kind}.queued`}, ${JSON.stringify({
          ...{ write_id: id, trigger_id: triggerId, request_id: call.requestId, key_id: call.actor.key_id },
        })}::jsonb from counted
      ), stored as (select id, request_sha256 from inserted union all select id, request_sha256 from previous)
      select (select to_jsonb(account) from account) as account, (select to_jsonb(instrument) from instrument) as instrument,
        (select objection from objected) as objection, (select to_jsonb(stored) from stored limit 1) as stored`,
  )
  if (!row) throw new Error('the verdict is always one row')
  if (!row.account) return refused('account_not_found')
  if (!row.stored) return whyNot(write, row)
  if (row.stored.request_sha256 !== hash) return refused('idempotency_conflict')
  const replayed = row.stored.id !== id
  if (!replayed) call.defer(call.deps.commandChannel.nudge({ account_id: accountId }, row.account.nudge))
  return done({ id: row.stored.id, replayed })
}

/** The first thing that keeps it from being stored, in the order a person would fix them. */
function whyNot({ kind, instrument: stated }: NewWrite, found: Verdict): Outcome<never> {
  const { account, instrument, objection } = found
  if (account && account.status !== 'active') return refused('account_disabled')
  if (kind !== 'gtt_delete') {
    if (account && !account.trading) return refused('trading_not_enabled')
    if (account?.gate) return refused('order_gate_closed', { detail: account.gate })
  }
  if (objection === 'gtt_not_found' || objection === 'gtt_limit') return refused(objection)
  if (objection !== null) return refused('gtt_not_active', { detail: `It is ${objection}.` })
  const errors = stated ? fieldErrors(stated, instrument) : []
  if (errors.length > 0) return refused('order_invalid', { errors })
  return refused('session_inactive')
}

function fieldErrors(
  { exchange, tradingsymbol, prices, quantities }: NonNullable<NewWrite['instrument']>,
  instrument: Verdict['instrument'],
): FieldError[] {
  const name = `${exchange}:${tradingsymbol}`
  if (!instrument) return [{ path: 'tradingsymbol', message: `${name} is not in the current dump` }]
  if (!instrument.tradable) return [{ path: 'tradingsymbol', message: `${name} is an index` }]
  const { tick_size: tick, lot_size: lot } = instrument
  const isOff = (value: number, unit: number) => {
    const steps = value / unit
    return unit > 0 && Math.abs(steps - Math.round(steps)) > 1e-6
  }
  return [
    ...prices
      .filter(({ value }) => isOff(value, tick))
      .map(({ path }) => ({ path, message: `must be a multiple of the tick size ${tick}` })),
    ...quantities
      .filter(({ value }) => isOff(value, Math.max(1, lot)))
      .map(({ path }) => ({ path, message: `must be a multiple of the lot size ${lot}` })),
  ]
}
