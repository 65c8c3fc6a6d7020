// Paper accounts: marked as such, without market data, and logged in at the paper broker alone.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let unconfigured: Harness
const asked: string[] = []
const paperBroker = createServer((request, response) => {
  asked.push(`${request.method} ${request.url?.replace(/\?.*/, '')}`)
  const data = { user_id: 'PAPER1', user_name: 'Paper', access_token: 'papertoken' }
  response.end(JSON.stringify({ status: 'success', data }))
})
const input = { id: 'paper1', api_key: 'paperapp', api_secret: 'secret', paper: true }

beforeAll(async () => {
  await new Promise<void>((resolve) => paperBroker.listen(0, '127.0.0.1', resolve))
  const { port } = paperBroker.address() as AddressInfo
  harness = await startHarness({ paperApiRoot: `http://127.0.0.1:${port}` })
  unconfigured = await startHarness()
})
afterAll(async () => {
  await harness.close()
  await unconfigured.close()
  paperBroker.close()
})

test('201: marked as paper, and for no market data', async () => {
  const created = await harness.call('POST', '/v1/accounts', input)
  expect(created).toMatchObject({
    status: 201,
    body: { paper: true, market_data: false, trading: true, synthetic: true },
  })
  const other = await harness.call('POST', '/v1/accounts', {
    ...input,
    id: 'real1',
    api_key: 'r',
    paper: false,
  })
  expect(other.body).toMatchObject({ paper: false, market_data: true })
})

test('409 paper_not_configured where there is no paper broker', async () => {
  const refused = await unconfigured.call('POST', '/v1/accounts', input)
  expect(refused).toMatchObject({ status: 409, body: { code: 'paper_not_configured' } })
})

test('market data of its own: refused at creation and later', async () => {
  const created = await harness.call('POST', '/v1/accounts', { ...input, id: 'p2', market_data: true })
  expect(created).toMatchObject({ status: 400, body: { errors: [{ path: 'market_data' }] } })
  const changed = await harness.call('PATCH', '/v1/accounts/paper1', { market_data: true })
  expect(changed).toMatchObject({ status: 409, body: { code: 'paper_has_no_market_data' } })
  const renamed = await harness.call('PATCH', '/v1/accounts/paper1', { name: 'Paper', market_data: false })
  expect(renamed).toMatchObject({ status: 200, body: { name: 'Paper' } })
})

test('its login goes to the paper broker, and so does what ends it', async () => {
  const link = await harness.call('POST', '/v1/accounts/paper1/login')
  const opened = await harness.request(new URL(link.body.login_url).pathname)
  const target = new URL(opened.headers.get('location') ?? '')
  expect(`${target.origin}${target.pathname}`).toBe('http://paper.test/connect/login')
  const state = new URLSearchParams(target.searchParams.get('redirect_params') ?? '').get('state') ?? ''
  const cookie = (opened.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
  const finished = await harness.request(
    `/kite/callback?${new URLSearchParams({ state, request_token: 'r', status: 'success' })}`,
    { headers: { cookie } },
  )
  expect(finished.status).toBe(200)
  expect(asked).toEqual(['POST /session/token'])
  await harness.call('DELETE', '/v1/accounts/paper1/session')
  expect(asked).toEqual(['POST /session/token', 'DELETE /session/token'])
})
