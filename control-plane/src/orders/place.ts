// Stores what should be sent, once per (account, Idempotency-Key), and answers with it. Nothing is sent from here.
// A repeat with the same body gets the stored order whatever has changed since; a refused request uses no key.
import { brokerTag, type IntentState, newId, type Order, order, type PlaceOrder } from '@ticker/shared/domain'
import { closedForAmo } from '@ticker/shared/market-calendar'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LISTENERS, nudgeList } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import { readCalendar } from '../calendar/known.ts'
import type { Call } from '../http/call.ts'
import { done, type FieldError, type Outcome, refused } from '../http/problem.ts'
import { requestHash } from './request-hash.ts'
import { orderJson } from './rows.ts'

export interface PlacedOrder {
  order: Order
  replayed: boolean
}

/** Nothing of these is at the broker, as far as can be known: they may be placed anew. */
export const CAME_TO_NOTHING: readonly IntentState[] = [
  'RELEASED',
  'REJECTED',
  'EXPIRED',
  'REFUSED',
  'NEEDS_AUTHORISATION',
]

export interface PlacedAs {
  /** The large order that this is a slice of; once that is to be cancelled, none is stored. */
  slicedOrderId?: string
  /** The order that is placed anew with this one. */
  requeueOf?: string
  /** For so long no equal order of the same key is stored beside one that is not settled. */
  refuseRepeatsS?: number | null
}

const verdict = z.object({
  account: z
    .object({
      status: z.string(),
      trading: z.boolean(),
      gate: z.string().nullable(),
      session_live: z.boolean(),
      nudge: nudgeList,
    })
    .nullable(),
  instrument: z
    .object({
      tradable: z.boolean(),
      lot_size: z.number(),
      tick_size: z.number(),
      lot_ok: z.boolean(),
      leg_ok: z.boolean(),
      price_ok: z.boolean(),
      trigger_ok: z.boolean(),
    })
    .nullable(),
  cancelled: z.boolean(),
  repeated: z.boolean(),
  /** What was to be placed anew has not come to nothing. */
  found_after_all: z.boolean(),
  stored: z.object({ order, request_sha256: z.string() }).nullable(),
})
type Verdict = z.output<typeof verdict>

export async function placeOrder(
  call: Call,
  idempotencyKey: string,
  input: PlaceOrder,
  { slicedOrderId, requeueOf, refuseRepeatsS = null }: PlacedAs = {},
): Promise<Outcome<PlacedOrder>> {
  if (!mayUse(call.actor, input.account_id)) return refused('account_not_allowed')
  const request = withMarketProtection(input)
  const hash = await requestHash(requeueOf === undefined ? request : { ...request, requeue_of: requeueOf })
  const id = newId('ord')
  const afterHours = await whyNotAfterHours(call, request)
  const refuse = afterHours !== undefined
  const found = await storeOnce(call, {
    ...{ id, idempotencyKey, request, hash, refuse, slicedOrderId, requeueOf, refuseRepeatsS },
  })
  if (!found.account) return refused('account_not_found')
  if (!found.stored) return objection(request, found, afterHours) ?? refused('session_inactive')
  if (found.stored.request_sha256 !== hash) return refused('idempotency_conflict')
  const replayed = found.stored.order.id !== id
  if (!replayed) {
    call.defer(call.deps.commandChannel.nudge({ account_id: input.account_id }, found.account.nudge))
  }
  return done({ order: found.stored.order, replayed })
}

/** The broker refuses MARKET and SL-M without protection; -1 is its automatic band (KITE.md 5.2). */
export function withMarketProtection(input: PlaceOrder): PlaceOrder {
  const market = input.order_type === 'MARKET' || input.order_type === 'SL-M'
  return market ? { ...input, market_protection: input.market_protection ?? -1 } : input
}

/** The broker refuses an after-market order while the market is open, and counts it; undefined: it takes it now. */
async function whyNotAfterHours(
  { deps: { config, clock, db } }: Call,
  { variety, exchange }: PlaceOrder,
): Promise<FieldError | undefined> {
  if (variety !== 'amo' || config.marketHours === 'always') return undefined
  const { calendar } = await readCalendar(db)
  const closed = closedForAmo(calendar, exchange, clock.nowMs())
  if (!closed) return undefined
  const from = new Date(closed.amoFromMs).toISOString()
  return { path: 'variety', message: `after-market orders of ${exchange} are taken from ${from} on` }
}

/** `refuse`: a stored order of this key is still the answer, a new one is not stored. */
async function storeOnce(
  call: Call,
  intent: {
    id: string
    idempotencyKey: string
    request: PlaceOrder
    hash: string
    refuse: boolean
    slicedOrderId: string | undefined
    requeueOf: string | undefined
    refuseRepeatsS: number | null
  },
): Promise<Verdict> {
  const { request } = intent
  const price = request.price ?? null
  const trigger = request.trigger_price ?? null
  const leg = request.iceberg_quantity ?? null
  const repeatsS = intent.refuseRepeatsS
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
        where a.id = ${request.account_id} and a.owner = ${call.actor.owner}
      ), instrument as materialized (
        select i.lot_size, i.tick_size, (i.instrument_token & 255) <> 9 as tradable,
          ${request.quantity}::int % greatest(i.lot_size, 1) = 0 as lot_ok,
          coalesce(${leg}::int % greatest(i.lot_size, 1) = 0, true) as leg_ok,
          coalesce(${price}::numeric % nullif(i.tick_size, 0) = 0, true) as price_ok,
          coalesce(${trigger}::numeric % nullif(i.tick_size, 0) = 0, true) as trigger_ok
        from ticker.instruments i
        where i.exchange = ${request.exchange} and i.tradingsymbol = ${request.tradingsymbol} and i.is_active
      ), sliced as materialized (
        -- Of this and a cancel of the whole at the same time the second waits, and sees what the first made of it.
        select s.id from ticker.sliced_orders s
        where s.id = ${intent.slicedOrderId ?? null} and s.cancel_requested_at is null for share
      ), came_to_nothing as materialized (
        -- As it is when this is stored: one that is adopted at the same time waits, or is seen.
        select o.id from ticker.order_intents o
        where o.id = ${intent.requeueOf ?? null} and o.state in (select jsonb_array_elements_text(${JSON.stringify(CAME_TO_NOTHING)}::jsonb))
        for share
      ), previous as materialized (
        select o.* from ticker.order_intents o join account on o.account_id = account.id
        where o.idempotency_key = ${intent.idempotencyKey}
      ), admitted as materialized (
        select account.id as account_id from account, instrument i
        where not exists (select 1 from previous) and account.status = 'active' and account.trading
          and account.gate is null
          and account.session_live and i.tradable and i.lot_ok and i.leg_ok and i.price_ok and i.trigger_ok
          and not ${intent.refuse}::boolean
          and (${intent.requeueOf ?? null}::text is null or exists (select from came_to_nothing)) and (${intent.slicedOrderId ?? null}::text is null or exists (select from sliced))
      ), unrepeated as (
        -- Of two equals at once the second waits here. It cannot see the order of the first yet, and so it is not settled.
        insert into ticker.order_repeats as r (account_id, key_id, request_sha256, intent_id)
        select account_id, ${call.actor.key_id}, ${intent.hash}, ${intent.id} from admitted where ${repeatsS}::int is not null
        on conflict (account_id, key_id, request_sha256) do update set intent_id = excluded.intent_id, stored_at = now()
        where r.stored_at <= now() - make_interval(secs => ${repeatsS}::int)
          or exists (select from ticker.order_intents o where o.id = r.intent_id and o.state not in ('QUEUED', 'SENDING', 'UNKNOWN'))
        returning r.intent_id
      ), inserted as (
        insert into ticker.order_intents as o
          (id, account_id, idempotency_key, request_sha256, request, tag, client_tag, deadline, sliced_order_id, requeue_of, created_by)
        select ${intent.id}, account_id, ${intent.idempotencyKey}, ${intent.hash}, ${JSON.stringify(request)}::jsonb,
          ${brokerTag(request.tag)}, ${request.tag ?? null},
          now() + make_interval(secs => ${request.expires_in_s}::int), ${intent.slicedOrderId ?? null},
          ${intent.requeueOf ?? null}, ${call.actor.key_id}
        from admitted where ${repeatsS}::int is null or exists (select from unrepeated)
        -- Of two at once the second waits here for the first, and gets its row.
        on conflict (account_id, idempotency_key) do update set idempotency_key = excluded.idempotency_key
        returning o.*
      ), counted as (
        update ticker.accounts a set event_seq = a.event_seq + 1
        from inserted where inserted.id = ${intent.id} and a.id = inserted.account_id
        returning a.id, a.event_seq
      ), event as (
        insert into ticker.order_events (account_id, seq, kind, intent_id, detail)
        select id, event_seq, 'intent.queued', ${intent.id},
          ${JSON.stringify({ request_id: call.requestId, key_id: call.actor.key_id, requeue_of: intent.requeueOf })}::jsonb
        from counted
      ), stored as (
        select * from inserted union all select * from previous
      )
      select (select to_jsonb(account) from account) as account,
        (select to_jsonb(instrument) from instrument) as instrument,
        ${intent.slicedOrderId ?? null}::text is not null and not exists (select from sliced) as cancelled,
        ${intent.requeueOf ?? null}::text is not null and not exists (select from came_to_nothing) as found_after_all,
        ${repeatsS}::int is not null and exists (select from admitted) and not exists (select from unrepeated) as repeated,
        (select jsonb_build_object('request_sha256', o.request_sha256,
          'order', ${orderJson(call.deps.config.realm === 'sim')}) from stored o) as stored`,
  )
  if (!row) throw new Error('the verdict is always one row')
  return row
}

/** What would keep such an order from being stored now; undefined: nothing. */
export async function whyNotPlaced(call: Call, input: PlaceOrder): Promise<Outcome<never> | undefined> {
  if (!mayUse(call.actor, input.account_id)) return refused('account_not_allowed')
  const request = withMarketProtection(input)
  const afterHours = await whyNotAfterHours(call, request)
  const id = newId('ord')
  const found = await storeOnce(call, {
    ...{
      id,
      idempotencyKey: id,
      request,
      hash: '',
      refuse: true,
      slicedOrderId: undefined,
      requeueOf: undefined,
      refuseRepeatsS: null,
    },
  })
  return found.account ? objection(request, found, afterHours) : refused('account_not_found')
}

/** The first thing that keeps the insert from happening, in the order a person would fix them. */
function objection(
  request: PlaceOrder,
  { account, instrument, cancelled, found_after_all, repeated }: Verdict,
  afterHours: FieldError | undefined,
): Outcome<never> | undefined {
  if (account && account.status !== 'active') return refused('account_disabled')
  if (account && !account.trading) return refused('trading_not_enabled')
  if (account?.gate) return refused('order_gate_closed', { detail: account.gate })
  if (found_after_all)
    return refused('order_not_to_requeue', { detail: 'It was found at the broker meanwhile.' })
  if (cancelled) return refused('order_finished', { detail: 'It is being cancelled.' })
  if (repeated) return refused('order_repeated')
  const errors = [...fieldErrors(request, instrument), ...(afterHours ? [afterHours] : [])]
  if (errors.length > 0) return refused('order_invalid', { errors })
  return account?.session_live ? undefined : refused('session_inactive')
}

function fieldErrors(request: PlaceOrder, instrument: Verdict['instrument']): FieldError[] {
  const name = `${request.exchange}:${request.tradingsymbol}`
  if (!instrument) return [{ path: 'tradingsymbol', message: `${name} is not in the current dump` }]
  if (!instrument.tradable) return [{ path: 'tradingsymbol', message: `${name} is an index` }]
  const errors: FieldError[] = []
  const tick = `must be a multiple of the tick size ${instrument.tick_size}`
  const lot = `must be a multiple of the lot size ${instrument.lot_size}`
  if (!instrument.lot_ok) errors.push({ path: 'quantity', message: lot })
  if (!instrument.leg_ok) errors.push({ path: 'iceberg_quantity', message: lot })
  if (!instrument.price_ok) errors.push({ path: 'price', message: tick })
  if (!instrument.trigger_ok) errors.push({ path: 'trigger_price', message: tick })
  return errors
}
