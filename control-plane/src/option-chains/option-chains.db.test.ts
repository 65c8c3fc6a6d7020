import type { OptionChain } from '@ticker/shared/domain'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let mine: string

beforeAll(async () => {
  harness = await startHarness()
})
afterAll(() => harness.close())

const CHAIN: OptionChain = {
  underlying: 'M&M',
  exchange: 'NFO',
  expiry: '2026-12-29',
  expires_at: '2026-12-29T10:10:00.000Z',
  expires_at_confirmed: true,
  days_to_expiry: 34.2,
  expiries: ['2026-12-29'],
  model: 'bsm',
  rate: 0.065,
  dividend_yield: 0,
  spot: { instrument: 'NSE:M&M', price: 3_100, age_ms: 20, live: true },
  future: null,
  forward: 3_118.9,
  unavailable: null,
  atm_strike: 3_100,
  atm_iv: 0.24,
  skew_25d: null,
  pcr_oi: null,
  pcr_volume: null,
  max_pain: null,
  max_pain_strikes: 0,
  legs: { listed: 2, streamed: 1, with_oi: 0, with_iv: 1 },
  strikes: [{ strike: 3_100, call: null, put: null }],
  synthetic: true,
  computed_at: '2026-11-25T10:00:00.000Z',
}
const get = (path: string, as?: string) =>
  harness.call('GET', `/v1/option-chains/${path}`, undefined, as ? { as } : {})

test('503 with Retry-After while no instance is alive', async () => {
  const answer = await get('NIFTY')
  expect(answer).toMatchObject({ status: 503, body: { code: 'data_plane_unreachable' } })
  expect(answer.headers.get('retry-after')).toBe('5')
  // The other was there first, and is the one to ask for those without accounts.
  await harness.seed.instance()
  mine = await harness.seed.instance()
  await harness.seed.account('desk1', { instance: mine })
})

test('200: what the instance of the owner’s accounts answers, asked for that owner', async () => {
  const asked = get('M%26M?expiry=2026-12-29&strikes=5&rate=0.07&dividend_yield=0&model=bsm&exchange=NFO')
  const question = await harness.answerNext(mine, { ok: true, result: { chain: CHAIN } })
  expect(question).toMatchObject({
    call: 'option_chain',
    params: {
      owner: 'desk',
      request: {
        underlying: 'M&M',
        exchange: 'NFO',
        expiry: '2026-12-29',
        strikes: 5,
        model: 'bsm',
        rate: 0.07,
        dividend_yield: 0,
      },
    },
  })
  expect(await asked).toMatchObject({ status: 200, body: CHAIN })
})

test.each([
  ['chain_unknown', 404, 'option_chain_not_found'],
  ['chain_not_streamed', 409, 'option_chain_not_streamed'],
  ['exchange_ambiguous', 400, 'invalid_request'],
])('%s is %d %s, and says why', async (refusal, status, code) => {
  const asked = get('NIFTY')
  await harness.answerNext(mine, { ok: true, result: { refusal, detail: 'this is why' } })
  const { body, ...answer } = await asked
  expect(answer.status).toBe(status)
  expect(body).toMatchObject({ code })
  expect(JSON.stringify(body)).toContain('this is why')
})

test('400 names the parameter, 403 without the scope', async () => {
  for (const [query, path] of [
    ['expiry=tomorrow', 'expiry'],
    ['strikes=201', 'strikes'],
    ['strikes=1.5', 'strikes'],
    ['strikes=', 'strikes'],
    ['rate=6.5', 'rate'],
    ['rate=x', 'rate'],
    ['model=binomial', 'model'],
    ['exchange=nfo', 'exchange'],
  ]) {
    const answer = await get(`NIFTY?${query}`)
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    expect(answer.body.errors[0].path, query).toBe(path)
  }
  expect((await get('NIFTY?expiri=2026-12-29')).status).toBe(400)
  const { secret } = await harness.keyWith(['instruments:read'])
  expect(await get('NIFTY', secret)).toMatchObject({ status: 403, body: { code: 'scope_missing' } })
})
