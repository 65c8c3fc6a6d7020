// Walks every transition: from each state, each thing that can happen leads where the table allows, or nowhere.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { INTENT_STATES, INTENT_TRANSITIONS, type IntentState } from '@ticker/shared/domain'
import { kiteOrder } from '@ticker/shared/kite-http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claimAccounts, registerInstance } from '../ownership/instance-store.ts'
import { seedAccount, seedIntent, seedSession } from '../testing/seed-account.ts'
import { createIntentStore, type Settlement } from './intent-store.ts'
import { createOrderStore } from './order-store.ts'

const INSTANCE = '00000000-0000-4000-8000-000000000001'
let database: TestDatabase
let epoch: number

beforeAll(async () => {
  database = await freshDatabase()
  await seedAccount(database.pool, 'desk')
  await seedSession(database.pool, 'desk', 'token')
  epoch = await registerInstance(database.pool, {
    id: INSTANCE,
    streamUrl: 'ws://x',
    version: 'test',
    egressGroup: 'default',
  })
  await claimAccounts(database.pool, INSTANCE, epoch)
})
afterAll(() => database.drop())

let names = 0
async function intentIn(state: IntentState, overdue = false) {
  names += 1
  const tag = `walk${names}`
  const id = await seedIntent(database.pool, 'desk', { tag, expiresInMs: overdue ? -1 : 30_000 })
  await database.pool.query(
    `update ticker.order_intents set state = $2, sending_epoch = $3, attempts = 1, sending_at = now() where id = $1`,
    [id, state, epoch],
  )
  return { id, tag, claim: { intentId: id, epoch, attempt: 1 } }
}

const settlements: Settlement[] = [
  { state: 'ACCEPTED', orderIds: ['o1'] },
  { state: 'REJECTED', code: 'broker_rejected', reason: 'x' },
  { state: 'NEEDS_AUTHORISATION', code: 'authorisation_needed', reason: 'x' },
  { state: 'UNKNOWN', code: 'outcome_unknown', reason: 'x', firstReadMs: 500 },
  { state: 'QUEUED', reason: 'x', retryAfterMs: 0 },
]

type Act = {
  name: string
  overdue?: boolean
  act: (intent: Awaited<ReturnType<typeof intentIn>>) => Promise<unknown>
}
const acts: Act[] = [
  ...settlements.map((settlement) => ({
    name: `settle ${settlement.state}`,
    act: (intent: Awaited<ReturnType<typeof intentIn>>) =>
      createIntentStore(database.pool).settle(intent.claim, settlement),
  })),
  {
    name: 'claim',
    act: ({ id }) =>
      createIntentStore(database.pool).claim(id, {
        accountId: 'desk',
        instanceId: INSTANCE,
        epoch,
        sessionVersion: 1,
      }),
  },
  {
    name: 'unclaim',
    act: ({ id }) => createIntentStore(database.pool).unclaim({ intentId: id, epoch, attempt: 1 }),
  },
  {
    name: 'refuse',
    act: ({ id }) => createIntentStore(database.pool).refuse('desk', id, 'order_gate_closed', 'x'),
  },
  {
    name: 'expire',
    overdue: true,
    act: () => createIntentStore(database.pool).expireOverdue('desk', () => false),
  },
  { name: 'orphans', act: () => createIntentStore(database.pool).orphansToUnknown('desk', epoch + 1) },
  {
    name: 'found in the book',
    act: ({ tag }) => {
      const order = kiteOrder.parse({
        order_id: `book-${tag}`,
        status: 'OPEN',
        exchange: 'NSE',
        tradingsymbol: 'INFY',
        transaction_type: 'BUY',
        quantity: 1,
        order_timestamp: '2026-11-23 09:15:01',
        tag,
      })
      return createOrderStore(database.pool).merge('desk', [order], 'book')
    },
  },
]

describe.each(INTENT_STATES)('from %s', (state) => {
  it.each(acts)('$name leads only where the table allows', async ({ act, overdue }) => {
    const intent = await intentIn(state, overdue)
    await act(intent)
    const { rows } = await database.pool.query<{ state: IntentState }>(
      'select state from ticker.order_intents where id = $1',
      [intent.id],
    )
    const became = rows[0]?.state
    expect([state, ...INTENT_TRANSITIONS[state]]).toContain(became)
  })
})
