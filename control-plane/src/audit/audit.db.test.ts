import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
  for (const id of ['desk1', 'desk2']) {
    await harness.call('POST', '/v1/accounts', { id, api_key: `app-${id}`, api_secret: 'planted-api-secret' })
  }
  const { secret } = await harness.keyWith(['accounts:write'], { owner: 'another' })
  const foreign = { id: 'foreign', api_key: 'app-foreign', api_secret: 'planted-api-secret' }
  await harness.call('POST', '/v1/accounts', foreign, { as: secret })
})
afterAll(() => harness.close())

const read = async (query = '', as = harness.key.secret) =>
  harness.call('GET', `/v1/audit-log${query}`, undefined, { as })
const subjects = (answer: { body: { items: { subject: string }[] } }) =>
  answer.body.items.map(({ subject }) => subject)

describe('GET /v1/audit-log', () => {
  test('200: newest first and by page, of this owner alone, without any secret', async () => {
    const all = await read()
    expect(subjects(all)).toEqual(['desk2', 'desk1'])
    expect(all.body.items[0]).toMatchObject({
      actor: harness.key.id,
      action: 'account.create',
      outcome: 'allowed',
      request_id: expect.any(String),
      at: expect.stringMatching(/Z$/),
    })
    expect(JSON.stringify(all.body)).not.toContain('planted')
    const first = await read('?limit=1')
    expect(subjects(first)).toEqual(['desk2'])
    expect(subjects(await read(`?limit=1&cursor=${first.body.next_cursor}`))).toEqual(['desk1'])
  })

  test('narrows by subject and action', async () => {
    expect(subjects(await read('?subject=desk1'))).toEqual(['desk1'])
    expect(subjects(await read('?subject=foreign'))).toEqual([])
    await harness.call('PATCH', '/v1/accounts/desk1', { name: 'New' })
    expect(subjects(await read('?action=account.update'))).toEqual(['desk1'])
  })

  test('what another owner calls like an account of ours stays theirs', async () => {
    await harness.database.pool.query(
      `insert into ticker.audit_log (id, actor, action, subject, owner, outcome, detail)
       values ('aud_zz', 'key_of_another', 'strike_ladder.put', 'desk1', 'another', 'allowed', '{}')`,
    )
    expect(subjects(await read('?action=strike_ladder.put'))).toEqual([])
    expect(subjects(await read('?subject=desk1'))).toContain('desk1')
  })

  test('a key limited to some accounts sees what is about those, and nothing of keys', async () => {
    const made = await harness.call('POST', '/v1/api-keys', { name: 'made', scopes: ['stream'] })
    expect(subjects(await read('?action=api_key.create'))).toEqual([made.body.id])
    const narrow = await harness.keyWith(['audit:read'], { account_ids: ['desk2', 'foreign'] })
    expect(subjects(await read('', narrow.secret))).toEqual(['desk2'])
  })

  test('a page of a long log is found by index, whatever it is narrowed by', async () => {
    const { pool } = harness.database
    await pool.query(
      `insert into ticker.audit_log (id, actor, action, subject, owner, outcome, detail)
       select 'aud_00' || n, 'key_x', 'filler.' || n % 50, 'x' || n % 50, 'owner' || n % 20, 'allowed', '{}'
       from generate_series(1, 20000) n`,
    )
    await pool.query('analyze ticker.audit_log')
    for (const where of ['true', `subject = 'desk1'`, `action = 'account.create'`]) {
      const { rows } = await pool.query(
        `explain select * from ticker.audit_log where owner = 'desk' and ${where} order by id desc limit 101`,
      )
      const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
      expect(plan).toContain('Index')
      expect(plan).not.toContain('Seq Scan')
    }
  })

  test('403 without its scope; 400 for a cursor of no list', async () => {
    const other = await harness.keyWith(['accounts:read'])
    expect((await read('', other.secret)).body.code).toBe('scope_missing')
    expect((await read('?cursor=x')).body.code).toBe('invalid_request')
  })
})
