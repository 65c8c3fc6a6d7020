// RELIABILITY fault 13, the control plane's part: Redis is away, and nothing that is written is lost or slow.
import { freePort } from '@ticker/infra/local/free-port'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Harness, startHarness } from '../testing/harness.ts'

let harness: Harness
let instance = ''

beforeAll(async () => {
  harness = await startHarness({ redisUrl: `redis://127.0.0.1:${await freePort()}` })
  instance = await harness.seed.instance()
  await harness.seed.instruments()
  await harness.seed.account('desk1', { instance, loggedIn: true })
})
afterAll(() => harness.close())

test('writes are accepted, the breaker opens, questions fail at once with Retry-After, readiness says so', async () => {
  const modes = ['ltp', 'quote', 'full', 'ltp', 'quote', 'full', 'ltp']
  for (const mode of modes) {
    const put = await harness.call('PUT', '/v1/subscriptions', { instruments: [408065], mode })
    expect(put).toMatchObject({ status: 200, body: { upserted: 1 } })
    await harness.settled()
  }
  expect((await harness.call('GET', '/v1/fleet')).body.command_channel).toEqual({ breaker: 'open' })
  const asked = await harness.call('GET', `/v1/fleet/instances/${instance}`)
  expect(asked).toMatchObject({ status: 503, body: { code: 'data_plane_unreachable' } })
  expect(asked.headers.get('retry-after')).toBe('2')
  const ready = await harness.call('GET', '/readyz')
  expect(ready).toMatchObject({ status: 503, body: { reasons: [expect.stringContaining('Redis')] } })
})

test('while it is open, writes take at most five times 300 ms', async () => {
  const durationsMs: number[] = []
  for (let index = 0; index < 50; index += 1) {
    const startedMs = performance.now()
    await harness.call('PUT', '/v1/subscriptions', {
      instruments: [779521],
      mode: index % 2 ? 'ltp' : 'full',
    })
    durationsMs.push(performance.now() - startedMs)
  }
  expect(Math.max(...durationsMs)).toBeLessThan(1_500)
})
