// Stores the plan of a large order, once per (account, Idempotency-Key), then its slices as orders of ours, one after
// the other. A repeat goes on where the first was broken off, by the stored plan: quantities do not move with the tables.
import {
  type FreezeQuantity,
  freezeQuantityOf,
  istDay,
  newId,
  type PlaceOrder,
  SLICES_MAX,
  type SlicedOrder,
  slicesOf,
} from '@ticker/shared/domain'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import { mayUse } from '../auth/actor.ts'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { placeOrder } from '../orders/place.ts'
import { requestHash } from '../orders/request-hash.ts'
import { getSlicedOrder } from './read.ts'

const plan = z.object({
  id: z.string(),
  request: z.custom<PlaceOrder>(),
  request_sha256: z.string(),
  quantities: z.array(z.int()),
})
type Plan = z.output<typeof plan>

export async function placeSlicedOrder(
  call: Call,
  idempotencyKey: string,
  request: PlaceOrder,
): Promise<Outcome<SlicedOrder>> {
  if (!mayUse(call.actor, request.account_id)) return refused('account_not_allowed')
  const hash = await requestHash(request)
  const known = await planOf(call, request.account_id, idempotencyKey)
  if (known && known.request_sha256 !== hash) return refused('idempotency_conflict')
  const quantities = known ? done(known.quantities) : await quantitiesOf(call, request)
  if (!quantities.ok) return quantities
  const stored = known ?? (await storePlan(call, idempotencyKey, request, hash, quantities.value))
  if (!stored) return refused('account_not_found')
  if (stored.request_sha256 !== hash) return refused('idempotency_conflict')
  for (const [index, quantity] of stored.quantities.entries()) {
    const placed = await placeOrder(
      call,
      `${stored.id}#${index + 1}`,
      { ...request, quantity },
      { slicedOrderId: stored.id },
    )
    // The first one refused: nothing is stored, and the key is free. A later one: what is stored stands.
    if (!placed.ok && index === 0) {
      await forgetPlan(call, stored.id)
      return placed
    }
    if (!placed.ok) break
  }
  return getSlicedOrder(call, stored.id)
}

async function quantitiesOf(call: Call, request: PlaceOrder): Promise<Outcome<number[]>> {
  const [instrument] = await call.deps.db.rows(
    z.object({ name: z.string(), lot_size: z.number() }),
    sql`select i.name, i.lot_size from ticker.instruments i
      where i.exchange = ${request.exchange} and i.tradingsymbol = ${request.tradingsymbol} and i.is_active
        and i.expiry is not null`,
  )
  const invalid = (message: string) =>
    refused('order_invalid', { errors: [{ path: 'tradingsymbol', message }] })
  const name = `${request.exchange}:${request.tradingsymbol}`
  if (!instrument) return invalid(`${name} is no derivative of the current dump`)
  const freeze: FreezeQuantity | undefined = freezeQuantityOf(
    instrument.name,
    istDay(call.deps.clock.nowMs()),
  )
  if (request.quantity % Math.max(1, instrument.lot_size) !== 0)
    return refused('order_invalid', {
      errors: [{ path: 'quantity', message: `must be a multiple of the lot size ${instrument.lot_size}` }],
    })
  const slices = freeze && slicesOf(request.quantity, freeze.quantity, instrument.lot_size)
  if (!freeze || !slices) return invalid(`no freeze quantity of ${instrument.name} is known`)
  if (slices.length > SLICES_MAX)
    return refused('order_invalid', {
      errors: [
        {
          path: 'quantity',
          message: `${slices.length} slices of at most ${freeze.quantity}; ${SLICES_MAX} are allowed`,
        },
      ],
    })
  return done(slices)
}

async function planOf(call: Call, accountId: string, idempotencyKey: string): Promise<Plan | undefined> {
  const [row] = await call.deps.db.rows(
    plan,
    sql`select s.id, s.request, s.request_sha256, s.quantities from ticker.sliced_orders s
      join ticker.accounts a on a.id = s.account_id
      where s.account_id = ${accountId} and s.idempotency_key = ${idempotencyKey} and a.owner = ${call.actor.owner}`,
  )
  return row
}

/** Of two at once the second gets the first one's plan. */
async function storePlan(
  call: Call,
  idempotencyKey: string,
  request: PlaceOrder,
  hash: string,
  quantities: number[],
): Promise<Plan | undefined> {
  const [row] = await call.deps.db.rows(
    plan,
    sql`insert into ticker.sliced_orders as s
        (id, account_id, idempotency_key, request_sha256, request, quantities, created_by)
      select ${newId('slc')}, a.id, ${idempotencyKey}, ${hash}, ${JSON.stringify(request)}::jsonb,
        array(select jsonb_array_elements_text(${JSON.stringify(quantities)}::jsonb)::int), ${call.actor.key_id}
      from ticker.accounts a where a.id = ${request.account_id} and a.owner = ${call.actor.owner}
      on conflict (account_id, idempotency_key) do update set idempotency_key = excluded.idempotency_key
      returning s.id, s.request, s.request_sha256, s.quantities`,
  )
  return row
}

/** Unless another request of the same key has stored a slice meanwhile. */
async function forgetPlan(call: Call, id: string): Promise<void> {
  await call.deps.db.rows(
    z.object({ id: z.string() }),
    sql`delete from ticker.sliced_orders s where s.id = ${id}
      and not exists (select from ticker.order_intents o where o.sliced_order_id = s.id) returning s.id`,
  )
}
