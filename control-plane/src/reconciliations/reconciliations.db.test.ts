import { commandStreamKey } from '@ticker/shared/commands'
import type { Pnl } from '@ticker/shared/domain'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { prune } from '../operations/prune.ts'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let instance: string
beforeAll(async () => {
  harness = await startHarness()
  instance = await harness.seed.instance()
  await harness.seed.account('desk1', { instance, loggedIn: true })
  await harness.seed.account('foreign', { owner: 'another desk', instance, loggedIn: true })
})
afterAll(() => harness.close())

const ask = (account_id = 'desk1') => harness.call('POST', '/v1/reconciliations', { account_id })
const query = (text: string, values: unknown[] = []) => harness.database.pool.query(text, values)

test('202: a report is stored for the owner of the account; asked again while it waits it is that one', async () => {
  const { status, headers, body } = await ask()
  expect([status, headers.get('location')]).toEqual([202, `/v1/reconciliations/${body.id}`])
  expect(body).toMatchObject({
    ...{ account_id: 'desk1', reason: 'asked', state: 'PENDING', outcome: null, report: null, attempts: 0 },
    ...{ failure: null, finished_at: null, synthetic: true, paper: false },
  })
  const again = await Promise.all([ask(), ask()])
  expect(again.map((each) => each.body.id)).toEqual([body.id, body.id])
  expect((await harness.call('GET', `/v1/reconciliations/${body.id}`)).body).toEqual(body)
  await query(`update ticker.reconciliations set state = 'DONE', outcome = 'agrees' where id = $1`, [body.id])
  const next = await ask()
  expect(next.body.id).not.toBe(body.id)
  const listed = await harness.call('GET', '/v1/reconciliations?account_id=desk1&limit=1')
  expect(listed.body.items).toMatchObject([{ id: next.body.id }])
  const second = await harness.call(
    'GET',
    `/v1/reconciliations?limit=1&outcome=agrees&reason=asked&state=DONE&cursor=${listed.body.next_cursor}`,
  )
  expect(second.body).toMatchObject({ items: [{ id: body.id }], next_cursor: null })
})

test('what a key may not see is not there; a disabled account is not read', async () => {
  expect((await ask('foreign')).body.code).toBe('account_not_found')
  expect((await harness.call('GET', '/v1/reconciliations/rcn_none')).body.code).toBe(
    'reconciliation_not_found',
  )
  await query(
    `insert into ticker.reconciliations (id, account_id, reason, trading_day, created_by)
     values ('rcn_foreign', 'foreign', 'start', now(), 'x')`,
  )
  expect((await harness.call('GET', '/v1/reconciliations/rcn_foreign')).status).toBe(404)
  const { items } = (await harness.call('GET', '/v1/reconciliations')).body
  expect(items.map(({ account_id }: { account_id: string }) => account_id)).not.toContain('foreign')
  await harness.seed.account('idle', { instance })
  await query(`update ticker.accounts set status = 'disabled' where id = 'idle'`)
  expect((await ask('idle')).body.code).toBe('account_disabled')
})

test('reports are kept for 90 days, and a thousand of an account; one that waits stays', async () => {
  await query(
    `insert into ticker.reconciliations (id, account_id, reason, trading_day, state, requested_at, created_by)
     select 'rcn_0' || n, 'desk1', 'start', now(), 'DONE', now() - (case when n = 1 then 91 else 1 end) * interval '1 day', 'x'
     from generate_series(1, 1100) n`,
  )
  await prune({ db: harness.deps.db, log: () => {} })
  const { rows } = await query(
    `select count(*)::int as n, count(*) filter (where id = 'rcn_01')::int as old,
       count(*) filter (where state = 'PENDING')::int as waiting from ticker.reconciliations where account_id = 'desk1'`,
  )
  expect(rows).toEqual([{ n: 1_000, old: 0, waiting: 1 }])
})

test('GET /v1/pnl is what the instance of the account answers', async () => {
  const nothing = { realised: 0, unrealised: 0, pnl: 0, day_pnl: 0 }
  const answer: Pnl = {
    ...{ account_id: 'desk1', paper: false, synthetic: true, answered_at: '2026-11-26T04:30:00.000Z' },
    account: { ...nothing, broker: { realised: 0, unrealised: 0, pnl: 0, m2m: null }, difference: 0 },
    ...{ strategies: [], positions: [], stale: [], unknown: [], omitted: 0 },
  }
  await harness.settled()
  await harness.redis('DEL', commandStreamKey('sim', instance))
  const asked = harness.call('GET', '/v1/pnl?account_id=desk1')
  const question = await harness.answerNext(instance, { ok: true, result: { answer } })
  expect(question).toMatchObject({ params: { reading: { read: 'pnl' } } })
  expect(await asked).toMatchObject({ status: 200, body: answer })
})
