// A connection that stalls inside a transaction must not serve anyone afterwards.
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { type ShapedProxy, shapedProxy } from '../testing/shaped-proxy.ts'
import { inTransaction, withAdvisoryLock } from './transaction.ts'

const LOCK = 77
let database: TestDatabase
let proxy: ShapedProxy
let pool: pg.Pool

beforeAll(async () => {
  database = await freshDatabase()
  await database.pool.query('create table notes (text text)')
})
afterAll(() => database.drop())

beforeEach(async () => {
  const url = new URL(database.url)
  proxy = await shapedProxy(new URL(database.url))
  url.hostname = '127.0.0.1'
  url.port = String(proxy.port)
  pool = new pg.Pool({ connectionString: url.href, max: 1, query_timeout: 200 })
  pool.on('error', () => {})
})
afterEach(async () => {
  await pool.end()
  await proxy.stop()
})

const note = (text: string) => pool.query('insert into notes values ($1)', [text])
const notes = async () => (await database.pool.query('select text from notes')).rows.map((row) => row.text)

it('commits what succeeds and leaves nothing of what fails', async () => {
  await inTransaction(pool, (client) => client.query(`insert into notes values ('kept')`))
  const failing = inTransaction(pool, async (client) => {
    await client.query(`insert into notes values ('lost')`)
    throw new Error('no')
  })
  await expect(failing).rejects.toThrow('no')
  await note('after')
  expect(await notes()).toEqual(['kept', 'after'])
  expect(pool.totalCount).toBe(1)
})

it('closes the connection when the rollback is not confirmed: later statements are committed', async () => {
  const stalling = inTransaction(pool, async (client) => {
    await client.query(`insert into notes values ('in doubt')`)
    proxy.shape({ stalled: true })
    await client.query('select 1')
  })
  await expect(stalling).rejects.toThrow('timeout')
  expect(pool.totalCount).toBe(0)
  proxy.shape({})
  await note('after the stall')
  expect(await notes()).toContain('after the stall')
  expect(await notes()).not.toContain('in doubt')
})

it('gives the lock back, and closes the connection when that is not confirmed', async () => {
  expect(await withAdvisoryLock(pool, LOCK, async () => proxy.shape({ stalled: true }))).toBe(true)
  expect(pool.totalCount).toBe(0)
  proxy.shape({})
  await expect.poll(() => withAdvisoryLock(pool, LOCK, async () => {}), { timeout: 10_000 }).toBe(true)
  await withAdvisoryLock(pool, LOCK, async () => {
    expect(await withAdvisoryLock(database.pool, LOCK, async () => {})).toBe(false)
  })
  expect(await withAdvisoryLock(database.pool, LOCK, async () => {})).toBe(true)
})

it('a connection that breaks between two statements fails the next one, and nothing else', async () => {
  const broken = inTransaction(pool, async (client) => {
    // Not `once` of node:events, which would listen to its error.
    const ended = new Promise<void>((resolve) => client.once('end', resolve))
    await database.pool.query(
      'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    await ended
    await client.query('select 1')
  })
  await expect(broken).rejects.toThrow(/not queryable/)
  expect(pool.totalCount).toBe(0)
})
