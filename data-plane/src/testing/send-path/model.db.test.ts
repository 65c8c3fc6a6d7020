// The rows in memory, under which crashes are simulated, do what the statements do: the same acts on both, at random.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Claim, createIntentStore, type Settlement } from '../../orders/intent-store.ts'
import { createOrderStore } from '../../orders/order-store.ts'
import { claimAccounts, registerInstance } from '../../ownership/instance-store.ts'
import { brokerRow } from '../broker-answers.ts'
import { seedAccount, seedIntent, seedSession } from '../seed-account.ts'
import { REQUEST } from './history.ts'
import { modelIntents } from './model-intents.ts'
import { modelOrders } from './model-orders.ts'
import { emptyState } from './model-state.ts'
import { seededChance } from './scheduler.ts'

const ACTS = 500
const SEED = 1
const INSTANCE = '00000000-0000-4000-8000-000000000001'
const FAR_MS = 1e8

let database: TestDatabase
beforeAll(async () => {
  database = await freshDatabase()
})
afterAll(() => database.drop())

it(`does what the statements do (SEED=${SEED})`, { timeout: 120_000 }, async () => {
  const { pool } = database
  await seedAccount(pool, 'desk')
  const sessionVersion = await seedSession(pool, 'desk', 'token')
  const identity = { id: INSTANCE, streamUrl: 'ws://x', version: 'test', egressGroup: 'default' }
  const epoch = await registerInstance(pool, identity)
  await claimAccounts(pool, INSTANCE, epoch)
  await pool.query(`update ticker.instances set lease_until = now() + interval '1 day'`)
  const state = emptyState()
  state.owner = { instanceId: INSTANCE, epoch, leaseUntilMs: Number.MAX_SAFE_INTEGER }
  const real = { intents: createIntentStore(pool), orders: createOrderStore(pool) }
  const run = async <T>(statement: (rows: typeof state, nowMs: number) => T) => statement(state, Date.now())
  const model = { intents: modelIntents(run), orders: modelOrders(run) }

  const chance = seededChance(SEED)
  const ids: string[] = []
  const claims: Claim[] = []
  const pick = <T>(from: readonly T[]) => from[Math.floor(chance.between(0, from.length))]

  async function addIntent() {
    const overdue = chance.odds(0.2)
    const tag = `model${ids.length}`
    const id = await seedIntent(pool, 'desk', { tag, expiresInMs: overdue ? -1_000 : FAR_MS })
    ids.push(id)
    state.intents.set(id, {
      ...{ id, tag, request: REQUEST, state: 'QUEUED', createdMs: Date.now(), notBeforeMs: 0, attempts: 0 },
      ...{ deadlineMs: Date.now() + (overdue ? -1_000 : FAR_MS), nextReadMs: 0, reads: 0 },
      ...{ sendingEpoch: undefined, sendingMs: undefined, brokerOrderId: undefined },
    })
  }

  const modelRows = () =>
    [...state.intents.values()].map((row) => [row.id, row.state, row.attempts, row.brokerOrderId ?? null])
  async function realRows() {
    const { rows } = await pool.query<{ id: string; state: string; attempts: number; order: string | null }>(
      'select id, state, attempts, broker_order_id as order from ticker.order_intents order by created_at, id',
    )
    return rows.map((row) => [row.id, row.state, row.attempts, row.order])
  }

  for (let count = 0; count < ACTS; count += 1) {
    if (ids.length === 0 || chance.odds(0.1)) await addIntent()
    const id = pick(ids.slice(-6)) ?? ''
    const known = pick(claims.slice(-6))
    const claim = known && {
      ...known,
      epoch: chance.odds(0.1) ? epoch - 1 : known.epoch,
      attempt: known.attempt + (chance.odds(0.15) ? 1 : 0),
    }
    const settlement = pick(settlementsOf(`o${count}`))
    const drawn = chance.next()
    const isOld = chance.odds(0.1)
    const tag = state.intents.get(id)?.tag ?? ''
    const sender = {
      ...{ accountId: 'desk', instanceId: INSTANCE, sessionVersion },
      epoch: isOld ? epoch - 1 : epoch,
    }
    const act = async ({ intents, orders }: typeof real): Promise<unknown> => {
      if (drawn < 0.35) return intents.claim(id, sender)
      if (drawn < 0.65) return claim && settlement && intents.settle(claim, settlement)
      if (drawn < 0.7) return claim && intents.unclaim(claim)
      if (drawn < 0.73) return (await intents.orphansToUnknown('desk', isOld ? epoch + 1 : epoch)).toSorted()
      if (drawn < 0.77) return (await intents.expireOverdue('desk', () => false)).toSorted()
      if (drawn < 0.81) return intents.refuse('desk', id, 'risk_limit', 'x')
      if (drawn < 0.84) return intents.refuseIfGated('desk', id)
      if (drawn < 0.88) return intents.unknownRead(id, FAR_MS)
      const row = brokerRow({ order_id: `b${id}`, tag: isOld ? 'somebody' : tag })
      const { adopted, open } = await orders.merge('desk', [row], 'book')
      return { adopted, unseen: open.unseen }
    }
    const answer = await act(real)
    expect(await act(model), `act ${count}`).toEqual(answer)
    const claimed = await real.intents.claimedBy('desk', epoch)
    claims.push(...claimed.filter((each) => each.intentId === id))
    const held = await model.intents.claimedBy('desk', epoch)
    expect(byId(held), `after act ${count}`).toEqual(byId(claimed))
    const due = (intents: typeof real.intents) => intents.due('desk', 100)
    expect((await due(model.intents)).map((each) => each.id)).toEqual(
      (await due(real.intents)).map((each) => each.id),
    )
    const inDoubt = async (intents: typeof real.intents) =>
      (await intents.unknownDue('desk')).toSorted((one, other) => (one.id < other.id ? -1 : 1))
    expect(await inDoubt(model.intents)).toEqual(await inDoubt(real.intents))
    expect(new Set(modelRows()), `after act ${count}`).toEqual(new Set(await realRows()))
  }
})

const byId = (claims: Claim[]) => claims.toSorted((one, other) => (one.intentId < other.intentId ? -1 : 1))

function settlementsOf(orderId: string): Settlement[] {
  return [
    { state: 'ACCEPTED', orderIds: [orderId] },
    { state: 'REJECTED', code: 'broker_rejected', reason: 'x' },
    { state: 'UNKNOWN', code: 'outcome_unknown', reason: 'x', firstReadMs: 0 },
    { state: 'QUEUED', reason: 'x', retryAfterMs: 0 },
    { state: 'QUEUED', reason: 'x', retryAfterMs: FAR_MS },
  ]
}
