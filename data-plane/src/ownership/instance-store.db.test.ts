// Who may own which account, in a real database.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../clock.ts'
import { silentLog } from '../operations/log.ts'
import { addAccount } from '../testing/desired-rows.ts'
import { claimAccounts, registerInstance, renewAndObserve } from './instance-store.ts'
import { createOwnership } from './ownership.ts'

const WEST = '00000000-0000-4000-8000-000000000001'
const EAST = '00000000-0000-4000-8000-000000000002'
let database: TestDatabase
let epochs: Record<string, number>

beforeAll(async () => {
  database = await freshDatabase()
  const register = (id: string, egressGroup: string) =>
    registerInstance(database.pool, { id, streamUrl: 'ws://x', version: 'test', egressGroup })
  epochs = { [WEST]: await register(WEST, 'default'), [EAST]: await register(EAST, 'east') }
  await addAccount(database.pool, 'one')
  await addAccount(database.pool, 'two')
  await database.pool.query(`update ticker.accounts set egress_group = 'east' where id = 'two'`)
})
afterAll(() => database.drop())

const epochOf = (id: string) => epochs[id] ?? 0
const claim = (id: string) => claimAccounts(database.pool, id, epochOf(id))
async function pass(id: string) {
  const seen = await renewAndObserve(database.pool, id, epochOf(id))
  return { unowned: seen?.unowned_accounts, owns: seen?.accounts.map(({ account_id }) => account_id) }
}

it('an instance claims, and is told of, accounts of its egress group alone', async () => {
  expect(await pass(WEST)).toEqual({ unowned: true, owns: [] })
  expect(await claim(WEST)).toEqual(['one'])
  expect(await pass(WEST)).toEqual({ unowned: false, owns: ['one'] })
  expect(await claim(EAST)).toEqual(['two'])
  expect(await pass(EAST)).toEqual({ unowned: false, owns: ['two'] })
})

it('an account that moves is given up by its old owner first, and only then taken by the new group', async () => {
  await database.pool.query(`update ticker.accounts set egress_group = 'east' where id = 'one'`)
  expect(await pass(EAST)).toEqual({ unowned: false, owns: ['two'] })
  expect(await claim(EAST)).toEqual([])
  expect(await pass(WEST)).toEqual({ unowned: false, owns: [] })
  expect(await pass(EAST)).toEqual({ unowned: true, owns: ['two'] })
  expect(await claim(EAST)).toEqual(['one'])
  expect(await pass(EAST)).toEqual({ unowned: false, owns: ['one', 'two'] })
})

it('an owner that is gone gives nothing up, and the group takes it when its lease has ended', async () => {
  await database.pool.query(`update ticker.accounts set egress_group = 'default' where id = 'two'`)
  expect(await claim(WEST)).toEqual([])
  await database.pool.query(
    `update ticker.instances set lease_until = now() - interval '1 s' where id = $1`,
    [EAST],
  )
  expect(await pass(EAST)).toEqual({ unowned: undefined, owns: undefined })
  expect(await claim(WEST)).toEqual(['two'])
})

it.each([3_000, -3_000])(
  'row 33: an owner whose clock is %i ms off holds its accounts as long as the database says',
  async (ms) => {
    const accounts: string[][] = []
    const ownership = createOwnership({
      clock: { ...systemClock, nowMs: () => systemClock.nowMs() + ms },
      ...{ log: silentLog, registry: new Registry() },
      store: {
        register: async () => epochOf(WEST),
        renewAndObserve: (epoch) => renewAndObserve(database.pool, WEST, epoch),
        claimAccounts: (epoch) => claimAccounts(database.pool, WEST, epoch),
        release: async () => {},
        readSession: async () => undefined,
      },
      onView: (view) => accounts.push(view.accounts.map(({ accountId }) => accountId)),
    })
    const controller = new AbortController()
    const ended = ownership.run(controller.signal)
    await expect.poll(() => accounts.at(-1)).toEqual(['two'])
    expect(ownership.lease.mayAct()).toBe(true)
    const { rows } = await database.pool.query(
      'select extract(epoch from lease_until - now()) between 8 and 10 as held from ticker.instances where id = $1',
      [WEST],
    )
    expect(rows).toEqual([{ held: true }])
    controller.abort()
    await ended
  },
)
