import { unseal } from '@ticker/shared/crypto'
import { type Scope, WEBHOOK_PENDING_MAX, WEBHOOKS_MAX } from '@ticker/shared/domain'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

const TARGET = { url: 'https://desk.example.com/hook', events: ['orders', 'risk'] }

const READER = ['webhooks:write', 'orders:read', 'accounts:read'] satisfies Scope[]

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
  await harness.seed.account('desk1')
  await harness.seed.account('desk2')
})
afterAll(() => harness.close())
beforeEach(async () => {
  await harness.database.pool.query(
    'truncate ticker.webhooks, ticker.webhook_cursors, ticker.webhook_deliveries',
  )
})

const create = (body: unknown = TARGET, as?: string) =>
  harness.call('POST', '/v1/webhooks', body, as ? { as } : {})
const limitedTo = async (...account_ids: string[]) => (await harness.keyWith(READER, { account_ids })).secret

describe('POST /v1/webhooks', () => {
  test('201: its secret is shown once and stored sealed; it begins with what happens from now on', async () => {
    await harness.database.pool.query('update ticker.accounts set event_seq = 7')
    const { status, body, headers } = await create()
    expect([status, headers.get('location')]).toEqual([201, `/v1/webhooks/${body.id}`])
    expect(body).toMatchObject({ ...TARGET, account_ids: null, pending: 0, failures: 0, rests_until: null })
    expect(body.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
    const { rows } = await harness.database.pool.query<{ secret: string }>(
      'select secret from ticker.webhooks',
    )
    const sealed = rows[0]?.secret ?? ''
    expect(sealed).not.toContain(body.secret)
    const keys = harness.deps.config.credentialKeys
    expect((await unseal(keys, body.id, 'webhook_secret', sealed)).reveal()).toBe(body.secret)
    await expect(unseal(keys, 'whk_other', 'webhook_secret', sealed)).rejects.toThrow()
    const got = await harness.call('GET', `/v1/webhooks/${body.id}`)
    expect(JSON.stringify(got.body)).not.toContain('whsec_')
    const cursors = await harness.database.pool.query(
      'select account_id, seq::int from ticker.webhook_cursors order by 1',
    )
    expect(cursors.rows).toEqual([
      { account_id: 'desk1', seq: 7 },
      { account_id: 'desk2', seq: 7 },
    ])
    const audit = await harness.database.pool.query(
      `select detail from ticker.audit_log where action = 'webhook.create'`,
    )
    // A path may hold a token of the receiver's.
    expect(audit.rows[0]?.detail).toMatchObject({ url: 'https://desk.example.com' })
  })

  test.each([
    ['no URL', { url: 'desk.example.com' }, 'url'],
    ['another scheme', { url: 'ftp://desk.example.com' }, 'url'],
    ['credentials in it', { url: 'https://user:pass@desk.example.com' }, 'url'],
    ['a fragment', { url: 'https://desk.example.com/#x' }, 'url'],
    ['no events', { events: [] }, 'events'],
    ['events that are none', { events: ['prices'] }, 'events.0'],
  ])('400: %s', async (_what, wrong, path) => {
    const { status, body } = await create({ ...TARGET, ...wrong })
    expect([status, body.code, body.errors[0].path]).toEqual([400, 'invalid_request', path])
  })

  test('a key of some accounts has webhooks of those alone; 403 for others', async () => {
    const narrow = await limitedTo('desk1')
    expect((await create(TARGET, narrow)).body.account_ids).toEqual(['desk1'])
    expect((await create({ ...TARGET, account_ids: ['desk2'] }, narrow)).body.code).toBe(
      'account_not_allowed',
    )
  })

  test('403 for what the key may not read itself; such webhooks of others it does not see either', async () => {
    const { secret } = await harness.keyWith(['webhooks:write', 'accounts:read'])
    const refused = await create(TARGET, secret)
    expect([refused.status, refused.body.code]).toEqual([403, 'scope_missing'])
    expect(refused.body.detail).toContain('orders:read')
    const ofOrders = (await create()).body.id
    const ofRisk = (await create({ ...TARGET, events: ['risk'] }, secret)).body.id
    const { body } = await harness.call('GET', '/v1/webhooks', undefined, { as: secret })
    expect(body.items.map(({ id }: { id: string }) => id)).toEqual([ofRisk])
    await harness.call('POST', `/v1/webhooks/${ofOrders}/test`)
    const deliveries = await harness.call('GET', `/v1/webhooks/${ofOrders}/deliveries`, undefined, {
      as: secret,
    })
    expect(deliveries.body.items).toEqual([])
  })

  test('422 when there are as many as there may be', async () => {
    for (let n = 0; n < WEBHOOKS_MAX; n += 1) expect((await create()).status).toBe(201)
    expect((await create()).body.code).toBe('webhook_limit')
  })
})

describe('a webhook', () => {
  test('is seen and ended by keys that may use all its accounts, and by no other owner', async () => {
    const [narrow, wide] = [await limitedTo('desk1'), await limitedTo('desk1', 'desk2')]
    const ofAll = (await create()).body.id
    const ofBoth = (await create(TARGET, wide)).body.id
    const ofOne = (await create(TARGET, narrow)).body.id
    const seenBy = async (as?: string) =>
      (await harness.call('GET', '/v1/webhooks', undefined, as ? { as } : {})).body.items.map(
        ({ id }: { id: string }) => id,
      )
    expect(await seenBy()).toEqual([ofOne, ofBoth, ofAll])
    expect(await seenBy(wide)).toEqual([ofOne, ofBoth])
    expect(await seenBy(narrow)).toEqual([ofOne])
    const { secret } = await harness.keyWith(READER, { owner: 'another desk' })
    expect(await seenBy(secret)).toEqual([])
    for (const as of [narrow, secret]) {
      expect((await harness.call('DELETE', `/v1/webhooks/${ofBoth}`, undefined, { as })).status).toBe(404)
      expect((await harness.call('POST', `/v1/webhooks/${ofBoth}/test`, undefined, { as })).body.code).toBe(
        'webhook_not_found',
      )
    }
    expect((await harness.call('DELETE', `/v1/webhooks/${ofOne}`, undefined, { as: wide })).status).toBe(204)
    expect((await harness.call('GET', `/v1/webhooks/${ofOne}`)).body.code).toBe('webhook_not_found')
  })

  test('its deliveries are listed by state in pages, and sent once more when asked', async () => {
    const { id } = (await create()).body
    const sent = []
    for (let n = 0; n < 3; n += 1) sent.push((await harness.call('POST', `/v1/webhooks/${id}/test`)).body)
    expect(sent[0]).toMatchObject({ event_type: 'webhook.test', state: 'pending', attempts: 0, status: null })
    expect(JSON.parse(sent[0].body)).toMatchObject({
      type: 'webhook.test',
      data: { webhook_id: id, synthetic: true },
    })
    const list = (query: string) => harness.call('GET', `/v1/webhooks/${id}/deliveries?${query}`)
    const first = (await list('limit=2')).body
    const second = (await list(`limit=2&cursor=${first.next_cursor}`)).body
    const ids = [...first.items, ...second.items].map((each: { id: string }) => each.id)
    expect([ids, second.next_cursor]).toEqual([sent.map((each) => each.id).reverse(), null])
    await harness.database.pool.query(
      `update ticker.webhook_deliveries set state = 'dead', attempts = 12, queued_at = now() - interval '2 days' where id = $1`,
      [sent[0].id],
    )
    expect((await list('state=dead')).body.items).toMatchObject([{ id: sent[0].id, next_attempt_at: null }])
    const again = await harness.call('POST', `/v1/webhook-deliveries/${sent[0].id}/redeliver`)
    expect([again.status, again.body.state, again.body.attempts]).toEqual([202, 'pending', 0])
    // A repaired endpoint is not kept waiting.
    const rests = async () =>
      (await harness.database.pool.query('select rests_until is not null as rests from ticker.webhooks')).rows
    await harness.database.pool.query(
      `update ticker.webhooks set failures = 9, rests_until = now() + interval '1 hour'`,
    )
    expect((await harness.call('POST', `/v1/webhooks/${id}/test`)).status).toBe(202)
    expect(await rests()).toEqual([{ rests: false }])
    await harness.database.pool.query(`update ticker.webhooks set rests_until = now() + interval '1 hour'`)
    await harness.call('POST', `/v1/webhook-deliveries/${sent[0].id}/redeliver`)
    expect(await rests()).toEqual([{ rests: false }])
    const { rows } = await harness.database.pool.query(
      `select queued_at > now() - interval '1 minute' as anew from ticker.webhook_deliveries where id = $1`,
      [sent[0].id],
    )
    expect(rows).toEqual([{ anew: true }])
    const { secret } = await harness.keyWith(READER, { owner: 'another desk' })
    const foreign = await harness.call('POST', `/v1/webhook-deliveries/${sent[0].id}/redeliver`, undefined, {
      as: secret,
    })
    expect(foreign.body.code).toBe('webhook_delivery_not_found')
    expect((await harness.call('GET', '/v1/webhooks/nope/deliveries')).body.items).toEqual([])
    await harness.database.pool.query(
      `insert into ticker.webhook_deliveries (id, webhook_id, event_type, body)
       select 'whd_' || n, $1, 'webhook.test', '{}' from generate_series(1, ${WEBHOOK_PENDING_MAX}) n`,
      [id],
    )
    const full = await harness.call('POST', `/v1/webhooks/${id}/test`)
    expect([full.status, full.body.code]).toEqual([429, 'webhook_queue_full'])
  })
})
