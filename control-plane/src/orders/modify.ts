// Stores what should change about an order that is open at the broker, or on its way there. Nothing is sent from here.
import { MODIFICATIONS_PER_ORDER_MAX, type ModifyOrder, NO_IOC_ON_MCX, newId } from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Call } from '../http/call.ts'
import { done, type FieldError, type Outcome, refused } from '../http/problem.ts'
import type { StoredChange } from './cancel.ts'
import { eventOf, previousOf, storedChange, type Target, target, targetOf } from './change-target.ts'
import { requestHash } from './request-hash.ts'
import { orderChangeJson } from './rows.ts'

const rules = z.object({
  lot_size: z.number(),
  tick_size: z.number(),
  lot_ok: z.boolean(),
  price_ok: z.boolean(),
  trigger_ok: z.boolean(),
  validity_ok: z.boolean(),
  fields_ok: z.boolean(),
  leg_ok: z.boolean(),
})
/** Of a cover order the broker modifies nothing else (KITE.md 5.1). */
const COVER_FIELDS = ['price', 'trigger_price']
const verdict = z.object({
  target: target.extend({ modifications: z.int() }).nullable(),
  rules: rules.nullable(),
  stored: storedChange.nullable(),
})

/** States of an intent of which an order is, or may come to be, at the broker. */
const MAY_BE_OPEN = ['QUEUED', 'SENDING', 'UNKNOWN', 'ACCEPTED']

export async function modifyOrder(
  call: Call,
  idempotencyKey: string,
  orderId: string,
  input: ModifyOrder,
): Promise<Outcome<StoredChange>> {
  const { actor, deps } = call
  const { expires_in_s: expiresInS, ...stated } = input
  const hash = await requestHash({ modify: orderId, ...input })
  const isCoverOnly = Object.keys(stated).every((field) => COVER_FIELDS.includes(field))
  const id = newId('chg')
  const [row] = await deps.db.rows(
    verdict,
    sql`with ${targetOf(actor, orderId)}, ${previousOf(idempotencyKey)}, rules as materialized (
        select i.lot_size, i.tick_size,
          coalesce(${stated.quantity ?? null}::int % greatest(i.lot_size, 1) = 0, true) as lot_ok,
          coalesce(${stated.price ?? null}::numeric % nullif(i.tick_size, 0) = 0, true) as price_ok,
          coalesce(${stated.trigger_price ?? null}::numeric % nullif(i.tick_size, 0) = 0, true) as trigger_ok,
          i.exchange <> 'MCX' or ${stated.validity ?? 'DAY'} <> 'IOC' as validity_ok,
          coalesce(b.broker_order->>'variety', o.request->>'variety', '') <> 'co' or ${isCoverOnly}::boolean as fields_ok,
          coalesce(o.request->>'variety' <> 'iceberg', true) or t.order_id is not null
            or ${stated.quantity === undefined}::boolean as leg_ok
        from target t
        left join ticker.order_intents o on o.id = t.intent_id
        left join ticker.orders b on b.account_id = t.account_id and b.order_id = t.order_id
        join ticker.instruments i on i.is_active and i.exchange = coalesce(b.exchange, o.request->>'exchange')
          and i.tradingsymbol = coalesce(b.tradingsymbol, o.request->>'tradingsymbol')
      ), earlier as materialized (
        select count(*)::int as n from target t join ticker.order_changes c on c.account_id = t.account_id
        where c.kind = 'modify' and c.state not in ('REFUSED', 'REJECTED', 'EXPIRED')
          and (c.intent_id = t.intent_id or c.order_id = t.order_id)
      ), inserted as (
        insert into ticker.order_changes as c
          (id, account_id, idempotency_key, request_sha256, kind, intent_id, order_id, fields, deadline, created_by)
        select ${id}, t.account_id, ${idempotencyKey}, ${hash}, 'modify', t.intent_id,
          -- Not the first of several that is known: what was asked for is of the whole.
          coalesce(t.order_id, case when not t.more_to_come then t.order_ids->>0 end), ${JSON.stringify(input)}::jsonb,
          now() + make_interval(secs => ${expiresInS}::int), ${actor.key_id}
        from target t, earlier e left join rules r on true
        where t.named = 1 and not exists (select from previous) and t.active and t.trading and t.gate is null
          and t.session_live and not t.cancel_requested and e.n < ${MODIFICATIONS_PER_ORDER_MAX}
          and jsonb_array_length(t.order_ids) <= 1 and (t.open > 0 or t.unseen > 0
            or (jsonb_array_length(t.order_ids) = 0 and t.intent_state in ('QUEUED', 'SENDING', 'UNKNOWN')))
          and coalesce(r.lot_ok and r.price_ok and r.trigger_ok and r.validity_ok and r.fields_ok and r.leg_ok, true)
        on conflict (account_id, idempotency_key) do update set idempotency_key = excluded.idempotency_key
        returning c.*
      ), counted as (
        update ticker.accounts a set event_seq = a.event_seq + 1
        from inserted n where n.id = ${id} and a.id = n.account_id returning a.id, a.event_seq
      ), ${eventOf(id, call.requestId, actor.key_id)}, stored as (
        select * from inserted union all select * from previous
      )
      select (select to_jsonb(t) || jsonb_build_object('modifications', e.n) from target t, earlier e) as target,
        (select to_jsonb(r) from rules r) as rules,
        (select jsonb_build_object('request_sha256', c.request_sha256,
          'change', ${orderChangeJson(deps.config.realm === 'sim')}) from stored c) as stored`,
  )
  if (!row?.target) return refused('order_not_found')
  const { target: of, rules: rule, stored } = row
  if (!stored) return whyNotStored(of, rule)
  if (stored.request_sha256 !== hash) return refused('idempotency_conflict')
  const replayed = stored.change.id !== id
  if (!replayed) call.defer(deps.commandChannel.nudge({ account_id: of.account_id }, of.nudge))
  return done({ change: stored.change, replayed })
}

/** The first thing that kept it from being stored, in the order a person would fix them. */
function whyNotStored(
  of: Target & { modifications: number },
  rule: z.output<typeof rules> | null,
): Outcome<never> {
  if (of.named > 1)
    return refused('order_ambiguous', { detail: 'Several of your accounts have an order of that id.' })
  if (!of.active) return refused('account_disabled')
  if (!of.trading) return refused('trading_not_enabled')
  if (of.gate) return refused('order_gate_closed', { detail: of.gate })
  if (of.order_ids.length > 1)
    return refused('order_ambiguous', { detail: `At the broker: ${of.order_ids.join(', ')}.` })
  if (of.cancel_requested) return refused('order_finished', { detail: 'It is being cancelled.' })
  const isSeen = of.statuses.length > 0
  if (isSeen ? of.open === 0 : !MAY_BE_OPEN.includes(of.intent_state ?? ''))
    return refused('order_finished', {
      detail: isSeen ? `At the broker: ${of.statuses.join(', ')}.` : `The order is ${of.intent_state}.`,
    })
  if (of.modifications >= MODIFICATIONS_PER_ORDER_MAX) return refused('modification_limit')
  const errors = rule ? fieldErrors(rule) : []
  if (errors.length > 0) return refused('order_invalid', { errors })
  return refused('session_inactive')
}

function fieldErrors(rule: z.output<typeof rules>): FieldError[] {
  const errors: FieldError[] = []
  const tick = `must be a multiple of the tick size ${rule.tick_size}`
  if (!rule.lot_ok)
    errors.push({ path: 'quantity', message: `must be a multiple of the lot size ${rule.lot_size}` })
  if (!rule.price_ok) errors.push({ path: 'price', message: tick })
  if (!rule.trigger_ok) errors.push({ path: 'trigger_price', message: tick })
  if (!rule.validity_ok) errors.push({ path: 'validity', message: NO_IOC_ON_MCX })
  if (!rule.leg_ok)
    errors.push({
      path: 'quantity',
      message: 'of an iceberg is that of a leg: modify the leg by the broker’s order id',
    })
  if (!rule.fields_ok)
    errors.push({ path: 'json', message: `of a cover order only ${COVER_FIELDS.join(' and ')} can change` })
  return errors
}
