// Stores a batch, once per (account, Idempotency-Key), if nothing keeps its legs from being placed now and the funds
// cover it. Nothing of it is sent from here: the owner of the account takes it from leg to leg.
import {
  BATCHES_LIVE_MAX,
  type Batch,
  type BatchMargin,
  basketMargins,
  funds,
  newId,
  type PlaceBatch,
  type PlaceOrder,
} from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { LISTENERS, nudgeList } from '../accounts/rows.ts'
import { mayUse } from '../auth/actor.ts'
import type { Call } from '../http/call.ts'
import { done, type FieldError, type Outcome, refused } from '../http/problem.ts'
import { whyNotPlaced, withMarketProtection } from '../orders/place.ts'
import { requestHash } from '../orders/request-hash.ts'
import { askAccount } from '../portfolio/ask-account.ts'
import { valueOrders } from '../portfolio/value-orders.ts'
import { getBatch } from './read.ts'

const stored = z.object({ id: z.string(), request_sha256: z.string() })
const placed = z.object({
  id: z.string().nullable(),
  request_sha256: z.string().nullable(),
  nudge: nudgeList,
})

export async function placeBatch(call: Call, key: string, input: PlaceBatch): Promise<Outcome<Batch>> {
  const [first] = input.legs
  if (!first) return refused('invalid_request')
  if (!mayUse(call.actor, first.account_id)) return refused('account_not_allowed')
  const request = { ...input, legs: input.legs.map(withMarketProtection) }
  const hash = await requestHash(request)
  const known = await storedAs(call, first.account_id, key)
  if (known) return known.request_sha256 === hash ? getBatch(call, known.id) : refused('idempotency_conflict')
  const objection = await objectionTo(call, request.legs)
  if (objection) return objection
  const margin = request.check_margin ? await marginOf(call, request) : done(null)
  if (!margin.ok) return margin
  const id = newId('bat')
  const [row] = await call.deps.db.rows(
    placed,
    sql`with account as (
        select a.id, ${LISTENERS} as nudge,
          -- Of two at once with one key the second still gets the row of the first.
          (select count(*) >= ${BATCHES_LIVE_MAX} and not coalesce(bool_or(b.idempotency_key = ${key}), false)
            from ticker.batches b where b.account_id = a.id and b.state in ('RUNNING', 'STOPPING')) as is_full
        from ticker.accounts a
        where a.id = ${first.account_id} and a.owner = ${call.actor.owner}
      ), inserted as (
        insert into ticker.batches as b
          (id, account_id, idempotency_key, request_sha256, request, unwind, margin, created_by)
        select ${id}, account.id, ${key}, ${hash}, ${JSON.stringify(request)}::jsonb, ${request.unwind},
          ${margin.value === null ? null : JSON.stringify(margin.value)}::jsonb, ${call.actor.key_id}
        from account where not is_full
        -- Of two at once the second waits here for the first, and gets its row.
        on conflict (account_id, idempotency_key) do update set idempotency_key = excluded.idempotency_key
        returning b.id, b.account_id, b.request_sha256
      ), counted as (
        update ticker.accounts a set event_seq = a.event_seq + 1
        from inserted where inserted.id = ${id} and a.id = inserted.account_id returning a.id, a.event_seq
      ), event as (
        insert into ticker.order_events (account_id, seq, kind, detail)
        select id, event_seq, 'batch.running',
          ${JSON.stringify({ batch_id: id, request_id: call.requestId, key_id: call.actor.key_id })}::jsonb
        from counted
      )
      select i.id, i.request_sha256, account.nudge
      from account left join inserted i on i.account_id = account.id`,
  )
  if (!row) return refused('account_not_found')
  if (row.id === null) return refused('batch_limit')
  if (row.request_sha256 !== hash) return refused('idempotency_conflict')
  call.defer(call.deps.commandChannel.nudge({ account_id: first.account_id }, row.nudge))
  return getBatch(call, row.id)
}

async function storedAs(call: Call, accountId: string, key: string) {
  const [row] = await call.deps.db.rows(
    stored,
    sql`select b.id, b.request_sha256 from ticker.batches b join ticker.accounts a on a.id = b.account_id
      where b.account_id = ${accountId} and b.idempotency_key = ${key} and a.owner = ${call.actor.owner}`,
  )
  return row
}

/** What is wrong with the legs is said of all of them, under their places. */
async function objectionTo(call: Call, legs: readonly PlaceOrder[]): Promise<Outcome<never> | undefined> {
  const errors: FieldError[] = []
  for (const [index, leg] of legs.entries()) {
    const objection = await whyNotPlaced(call, leg)
    if (!objection || objection.ok) continue
    const { refusal } = objection
    if (refusal.code !== 'order_invalid') return objection
    for (const { path, message } of refusal.errors ?? [])
      errors.push({ path: `legs.${index}.${path}`, message })
  }
  return errors.length > 0 ? refused('order_invalid', { errors }) : undefined
}

/** Hedges that are filled first are counted on: then what must be there is the final margin alone. */
async function marginOf(call: Call, { legs, sequence }: PlaceBatch): Promise<Outcome<BatchMargin>> {
  const [first] = legs
  if (!first) return refused('invalid_request')
  const basket = await valueOrders(
    call,
    { orders: legs },
    (orders) => ({ read: 'basket_margins', orders, consider_positions: true }),
    basketMargins,
  )
  if (!basket.ok) return basket
  const held = await askAccount(call, first.account_id, { read: 'funds' }, funds)
  if (!held.ok) return held
  const segment = first.exchange === 'MCX' ? held.value.commodity : held.value.equity
  const margin = {
    initial: basket.value.initial.total,
    final: basket.value.final.total,
    available: segment?.net ?? 0,
  }
  const needed = sequence === 'hedge_first' ? margin.final : Math.max(margin.initial, margin.final)
  if (needed <= margin.available) return done(margin)
  return refused('margin_insufficient', {
    detail: `${needed} rupees are needed (initial ${margin.initial}, final ${margin.final}); ${margin.available} are there.`,
  })
}
