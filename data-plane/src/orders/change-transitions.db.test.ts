// Walks every transition of a cancel and of a modify: each thing that can happen leads where the table allows.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { CHANGE_STATES, CHANGE_TRANSITIONS, type ChangeKind, type ChangeState } from '@ticker/shared/domain'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { claimAccounts, registerInstance } from '../ownership/instance-store.ts'
import { seedAccount, seedChange, seedSession } from '../testing/seed-account.ts'
import { type Change, type ChangeSettlement, type ChangeStore, createChangeStore } from './change-store.ts'
import type { Claim } from './intent-store.ts'

const INSTANCE = '00000000-0000-4000-8000-000000000001'
let database: TestDatabase
let store: ChangeStore
let epoch: number

beforeAll(async () => {
  database = await freshDatabase()
  store = createChangeStore(database.pool)
  await seedAccount(database.pool, 'desk')
  await seedSession(database.pool, 'desk', 'token')
  const identity = { id: INSTANCE, streamUrl: 'ws://x', version: 'test', egressGroup: 'default' }
  epoch = await registerInstance(database.pool, identity)
  await claimAccounts(database.pool, INSTANCE, epoch)
})
afterAll(() => database.drop())

interface Walked {
  change: Change
  claim: Claim
  /** As of a sending that the database has lost. */
  lost: Claim
}

async function changeIn(kind: ChangeKind, state: ChangeState, overdue: boolean): Promise<Walked> {
  const fields = kind === 'modify' ? { price: 1 } : undefined
  const id = await seedChange(database.pool, 'desk', { orderId: `o${Math.random()}` }, fields)
  await database.pool.query(
    `update ticker.order_changes set state = $2, sending_epoch = $3, attempts = 1, sending_at = now(),
       deadline = case when kind = 'modify' then now() + make_interval(secs => $4) end where id = $1`,
    [id, state, epoch, overdue ? -1 : 30],
  )
  const claim = { intentId: id, epoch, attempt: 1 }
  const change: Change = {
    ...{
      id,
      kind,
      state,
      intentId: null,
      orderId: 'o1',
      fields: null,
      attempts: 1,
      createdMs: 0,
      sinceMs: 0,
    },
    ...{ waitMs: 0, intentState: null, unseen: 0, orders: [] },
  }
  return { change, claim, lost: { ...claim, attempt: 2 } }
}

const settlements: ChangeSettlement[] = [
  { state: 'ACCEPTED' },
  { state: 'REJECTED', code: 'broker_rejected', reason: 'x' },
  { state: 'UNKNOWN', code: 'outcome_unknown', reason: 'x' },
  { state: 'QUEUED', reason: 'x', retryAfterMs: 0 },
]
const acts: { name: string; overdue?: boolean; act(walked: Walked): Promise<unknown> }[] = [
  ...settlements.flatMap((settlement) => [
    { name: `settle ${settlement.state}`, act: ({ claim }: Walked) => store.settle(claim, settlement) },
    {
      name: `settle ${settlement.state}, claim lost`,
      act: ({ lost }: Walked) => store.settle(lost, settlement),
    },
  ]),
  {
    name: 'claim',
    act: ({ change }) =>
      store.claim(change, 'o1', { accountId: 'desk', instanceId: INSTANCE, epoch, sessionVersion: 1 }),
  },
  { name: 'unclaim', act: ({ claim }) => store.unclaim(claim) },
  { name: 'expire', overdue: true, act: () => store.expireOverdue('desk', () => false) },
  { name: 'orphans', act: () => store.orphansToUnknown('desk', epoch + 1) },
]

describe.each(['cancel', 'modify'] as const)('a %s', (kind) => {
  describe.each(CHANGE_STATES)('from %s', (state) => {
    it.each(acts)('$name leads only where the table allows', async ({ act, overdue = false }) => {
      const walked = await changeIn(kind, state, overdue)
      await act(walked)
      const { rows } = await database.pool.query<{ state: ChangeState }>(
        'select state from ticker.order_changes where id = $1',
        [walked.change.id],
      )
      expect([state, ...CHANGE_TRANSITIONS[kind][state]]).toContain(rows[0]?.state)
    })
  })
})
