import type { Quotes } from '@ticker/shared/domain'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let instance: string
let nowMs = Date.now()

beforeAll(async () => {
  harness = await startHarness({ deps: { clock: stoppedClock() } })
  instance = await harness.seed.instance()
  await harness.seed.account('desk1', { instance })
})
afterAll(() => harness.close())

/** Stands still unless somebody sleeps. */
function stoppedClock() {
  return {
    nowMs: () => nowMs,
    sleep: (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
  }
}

const answer = (price: number): Quotes => ({
  quotes: [
    {
      instrument_token: 408065,
      exchange: 'NSE',
      tradingsymbol: 'INFY',
      state: 'live',
      source: 'ticks',
      age_ms: 12,
      tick: { mode: 'ltp', tradable: true, last_price: price, bid: null, ask: null },
    },
  ],
  unknown: ['NSE:NOPE'],
  fallback: null,
  synthetic: true,
  answered_at: '2026-11-25T10:00:00.000Z',
})
const get = (query: string, as?: string) =>
  harness.call('GET', `/v1/quotes?${query}`, undefined, as ? { as } : {})

test('200: what the instance answers for the owner, the same for a second', async () => {
  const query = 'instruments=408065,NSE:NOPE&instruments=NSE:M%26M'
  const asked = get(query)
  const question = await harness.answerNext(instance, { ok: true, result: answer(1_500) })
  expect(question).toMatchObject({
    call: 'quotes',
    params: { owner: 'desk', instruments: [408065, 'NSE:NOPE', 'NSE:M&M'] },
  })
  expect(await asked).toMatchObject({ status: 200, body: answer(1_500) })
  // Nobody answers now.
  expect((await get(query)).body).toEqual(answer(1_500))
  nowMs += 1_000
  const later = get(query)
  await harness.answerNext(instance, { ok: true, result: answer(1_501) })
  expect((await later).body).toEqual(answer(1_501))
})

test('200: with a fallback it is another question, of the broker too', async () => {
  const asked = get('instruments=408065&fallback=broker')
  const said = {
    ...answer(1),
    fallback: { asked: 1, answered: 0, refusal: 'budget_exhausted', detail: null },
  }
  const question = await harness.answerNext(instance, { ok: true, result: said })
  expect(question.params).toEqual({ owner: 'desk', instruments: [408065], fallback: 'broker' })
  expect((await asked).body).toEqual(said)
  // A key of some accounts uses the requests of those alone.
  const narrow = await harness.keyWith(['stream'], { account_ids: ['desk1'] })
  const limited = get('instruments=408065&fallback=broker', narrow.secret)
  const next = await harness.answerNext(instance, { ok: true, result: said })
  expect(next.params).toMatchObject({ account_ids: ['desk1'] })
  await limited
  expect((await get('instruments=408065&fallback=exchange')).body.errors[0].path).toBe('fallback')
})

test('503 when the data plane is of another release and answers what cannot be understood', async () => {
  const asked = get('instruments=779521')
  await harness.answerNext(instance, { ok: true, result: { quotes: 'none' } })
  const { status, body, headers } = await asked
  expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'data_plane_unreachable', '5'])
})

test('another owner is not answered from the first one’s', async () => {
  const { secret } = await harness.keyWith(['stream'], { owner: 'another desk' })
  const asked = get('instruments=408065,NSE:NOPE&instruments=NSE:M%26M', secret)
  const question = await harness.answerNext(instance, { ok: true, result: { ...answer(1), quotes: [] } })
  expect(question.params).toMatchObject({ owner: 'another desk' })
  expect((await asked).body.quotes).toEqual([])
})

test('400 names what is wrong, 403 without the scope', async () => {
  const many = Array.from({ length: 1_001 }, (_, index) => index + 1).join(',')
  for (const query of [
    '',
    'instruments=',
    'instruments=a:b:c',
    'instruments=408065,',
    `instruments=${many}`,
    // Cut, it would answer for a part and name a wrong instrument at the cut.
    `instruments=${Array.from({ length: 700 }, (_, index) => `NFO:NIFTY26DEC${index}00000CE`).join(',')}`,
  ]) {
    const refused = await get(query)
    expect([query.slice(0, 30), refused.status, refused.body.code]).toEqual([
      query.slice(0, 30),
      400,
      'invalid_request',
    ])
    expect(refused.body.errors[0].path).toMatch(/^instruments/)
  }
  const { secret } = await harness.keyWith(['instruments:read'])
  expect((await get('instruments=408065', secret)).body.code).toBe('scope_missing')
})
