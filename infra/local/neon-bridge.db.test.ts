import { neon, neonConfig } from '@neondatabase/serverless'
import { freshDatabase, type TestDatabase } from '@ticker/infra/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Bridge, startNeonBridge } from './neon-bridge.ts'

let database: TestDatabase
let bridge: Bridge

beforeAll(async () => {
  database = await freshDatabase()
  await database.pool.query('create table items (id int primary key, name text)')
  bridge = await startNeonBridge({ port: 0, postgresUrl: database.url.replace(/\/[^/]*$/, '/postgres') })
  neonConfig.fetchEndpoint = () => bridge.url
})
afterAll(async () => {
  await bridge.close()
  await database.drop()
})

// The host of the connection string is ignored on purpose; only the database name counts.
const sql = () => neon(database.url.replace('127.0.0.1', 'db.example.com'))

describe('the Neon bridge', () => {
  test('runs one statement in the database that the connection string names', async () => {
    const rows =
      await sql()`select current_database() as name, 7::int8 as big, ${{ a: 1 }}::jsonb as document`
    expect(rows).toEqual([{ name: new URL(database.url).pathname.slice(1), big: '7', document: { a: 1 } }])
  })

  test('a batch is one transaction: the second statement fails, the first leaves nothing', async () => {
    const run = sql()
    await expect(
      run.transaction([run`insert into items values (1, 'one')`, run`insert into items values (1, 'again')`]),
    ).rejects.toMatchObject({ code: '23505', constraint: 'items_pkey' })
    expect(await run`select * from items`).toEqual([])
  })

  test('honours isolation level and read-only of a batch', async () => {
    const run = sql()
    const [levels] = await run.transaction([run`show transaction_isolation`], {
      isolationLevel: 'Serializable',
    })
    expect(levels).toEqual([{ transaction_isolation: 'serializable' }])
    await expect(
      run.transaction([run`insert into items values (2, 'two')`], { readOnly: true }),
    ).rejects.toMatchObject({ code: '25006' })
  })

  test('answers object rows when asked, and says what else is wrong without ending', async () => {
    const post = (path: string, body: string) =>
      fetch(new URL(path, bridge.url), {
        method: 'POST',
        body,
        headers: { 'neon-array-mode': 'false', 'neon-connection-string': database.url },
      })
    const objects = await post('/sql', JSON.stringify({ query: 'select 1 as one' }))
    expect(await objects.json()).toMatchObject({ rowAsArray: false, rows: [{ one: '1' }] })
    expect((await post('/sql', '{')).status).toBe(400)
    expect((await post('/sql', '{}')).status).toBe(500)
    expect((await post('/other', '{}')).status).toBe(404)
  })

  test('a server that is gone is a 500, not a SQL error', async () => {
    const lonely = await startNeonBridge({ port: 0, postgresUrl: 'postgres://x:y@127.0.0.1:1/none' })
    const response = await fetch(lonely.url, { method: 'POST', body: JSON.stringify({ query: 'select 1' }) })
    expect(response.status).toBe(500)
    await lonely.close()
  })
})
