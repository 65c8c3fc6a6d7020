import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
beforeAll(async () => {
  harness = await startHarness()
})
afterAll(() => harness.close())

const create = (id: string) =>
  harness.call('POST', '/v1/accounts', { id, api_key: `app-${id}`, api_secret: 'planted-secret' })
const remove = (id: string, as = harness.key.secret) =>
  harness.call('DELETE', `/v1/accounts/${id}`, undefined, { as })
const disable = (id: string) => harness.call('PATCH', `/v1/accounts/${id}`, { status: 'disabled' })
const query = async (text: string) => (await harness.database.pool.query(text)).rows
const firstSteps = (answer: { body: { errors: { path: string }[] } }) =>
  answer.body.errors.map(({ path }) => path)

const REQUEST = {
  ...{ variety: 'regular', exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: 1 },
  ...{ product: 'CNC', order_type: 'LIMIT', price: 1500, validity: 'DAY', expires_in_s: 30 },
}

async function addOrder(account: string, state: string, status: string) {
  await query(`insert into ticker.order_intents (id, account_id, idempotency_key, request_sha256, request, state, tag,
      deadline, created_by) values ('ord_${account}', '${account}', 'k', '', '${JSON.stringify({ account_id: account, ...REQUEST })}', '${state}', 't', now(), 'key_x')`)
  await query(`insert into ticker.orders (account_id, order_id, intent_id, status, status_rank, exchange, tradingsymbol,
      transaction_type, quantity, filled_quantity, average_price, broker_updated_at, broker_order)
    values ('${account}', '1', 'ord_${account}', '${status}', 4, 'NSE', 'INFY', 'BUY', 1, 0, 0, now(), '{}')`)
}

describe('DELETE /v1/accounts/{id}', () => {
  test('204: what nothing refers to is gone, and its id and app may be added again', async () => {
    await create('brief')
    await disable('brief')
    expect((await remove('brief')).status).toBe(204)
    expect(await query(`select from ticker.accounts where id = 'brief'`)).toEqual([])
    expect((await remove('brief')).body.code).toBe('account_not_found')
    expect((await create('brief')).status).toBe(201)
    const audit = await harness.call('GET', '/v1/audit-log?subject=brief&action=account.delete')
    expect(audit.body.items).toMatchObject([{ actor: harness.key.id, subject: 'brief' }])
  })

  test('409 account_in_use: says everything that is to be done first, and changes nothing', async () => {
    await harness.seed.account('busy', { loggedIn: true })
    await harness.seed.instruments()
    await addOrder('busy', 'UNKNOWN', 'OPEN')
    await harness.call('PUT', '/v1/subscriptions', {
      ...{ instruments: ['NSE:INFY'], mode: 'ltp', account_id: 'busy' },
    })
    const refused = await remove('busy')
    expect(refused).toMatchObject({ status: 409, body: { code: 'account_in_use' } })
    expect(firstSteps(refused)).toEqual(['status', 'session', 'orders', 'orders', 'subscriptions'])
    await disable('busy')
    expect(firstSteps(await remove('busy'))).toEqual(['session', 'orders', 'orders', 'subscriptions'])
    await query(`update ticker.sessions set status = 'logged_out' where account_id = 'busy'`)
    await query(`update ticker.order_intents set state = 'ACCEPTED' where account_id = 'busy'`)
    expect(firstSteps(await remove('busy'))).toEqual(['orders', 'subscriptions'])
    await query(`update ticker.orders set status = 'COMPLETE' where account_id = 'busy'`)
    expect(firstSteps(await remove('busy'))).toEqual(['subscriptions'])
    await harness.call('DELETE', '/v1/subscriptions', { instruments: ['NSE:INFY'] })
    expect((await remove('busy')).status).toBe(204)
  })

  test('with orders: secrets, session and sight of it are gone; the orders are still read, the id stays taken', async () => {
    expect(await query(`select status, api_secret from ticker.accounts where id = 'busy'`)).toEqual([
      { status: 'deleted', api_secret: null },
    ])
    expect(await query(`select from ticker.sessions where account_id = 'busy'`)).toEqual([])
    for (const [method, path, body] of [
      ['GET', '/v1/accounts/busy'],
      ['GET', '/v1/accounts/busy/session'],
      ['PATCH', '/v1/accounts/busy', { status: 'active' }],
      ['POST', '/v1/accounts/busy/login'],
      ['DELETE', '/v1/accounts/busy/session'],
      ['POST', '/v1/kite-tokens', { account_id: 'busy' }],
      ['DELETE', '/v1/accounts/busy'],
    ] as const)
      expect((await harness.call(method, path, body)).body.code, `${method} ${path}`).toBe(
        'account_not_found',
      )
    const listed = await harness.call('GET', '/v1/accounts')
    expect(listed.body.items.map(({ id }: { id: string }) => id)).toEqual(['brief'])
    const orders = await harness.call('GET', '/v1/orders?account_id=busy')
    expect(orders.body.items).toMatchObject([{ id: 'ord_busy' }])
    expect((await create('busy')).body).toMatchObject({ code: 'account_exists' })
    const again = await harness.call('POST', '/v1/accounts', {
      ...{ id: 'anew', api_key: 'api-busy', api_secret: 'planted-secret' },
    })
    expect(again.status).toBe(201)
  })

  test('404 for another owner, 403 outside the key’s list', async () => {
    await harness.seed.account('foreign', { owner: 'another' })
    expect((await remove('foreign')).body.code).toBe('account_not_found')
    const narrow = await harness.keyWith(['accounts:write'], { account_ids: ['other'] })
    expect((await remove('brief', narrow.secret)).body.code).toBe('account_not_allowed')
  })
})
