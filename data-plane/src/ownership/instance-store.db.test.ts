// Who may own which account, in a real database.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { addAccount } from '../testing/desired-rows.ts'
import { claimAccounts, registerInstance, renewAndObserve } from './instance-store.ts'

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
  await database.pool.query('update ticker.instances set lease_until = now() where id = $1', [EAST])
  expect(await pass(EAST)).toEqual({ unowned: undefined, owns: undefined })
  expect(await claim(WEST)).toEqual(['two'])
})
