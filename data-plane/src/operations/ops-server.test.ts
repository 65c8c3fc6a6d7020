import { Counter, Registry } from 'prom-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { systemClock } from '../clock.ts'
import { createHalts } from '../kill-switch/halts.ts'
import { createOpsKill } from '../kill-switch/ops-kill.ts'
import { silentLog } from './log.ts'
import { createOpsServer } from './ops-server.ts'
import { createReadiness } from './readiness.ts'

const registry = new Registry()
new Counter({ name: 'ticker_things_total', help: 'Things', registers: [registry] }).inc()
const readiness = createReadiness()
let unfit: string | undefined
readiness.register('lease', () => unfit)
const kill = createOpsKill({
  clock: systemClock,
  tokenSha256: undefined,
  halts: createHalts({
    stateDir: undefined,
    store: { halt: async () => {} },
    clock: systemClock,
    log: silentLog,
  }),
  accountIds: () => [],
  sweep: () => {},
  sweeps: () => [],
})
const server = createOpsServer({ readiness, registry, kill })
let root = ''

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  root = `http://127.0.0.1:${address && typeof address === 'object' ? address.port : 0}`
})
afterAll(() => void server.close())

it('is ready while nothing is unfit, and answers 503 with the reason otherwise', async () => {
  expect((await fetch(`${root}/healthz`)).status).toBe(200)
  expect((await fetch(`${root}/readyz`)).status).toBe(200)
  unfit = 'no lease'
  const answer = await fetch(`${root}/readyz`)
  expect([answer.status, await answer.json()]).toEqual([
    503,
    { status: 'unfit', reasons: [{ part: 'lease', reason: 'no lease' }] },
  ])
  expect((await fetch(`${root}/healthz`)).status).toBe(200)
})

it('serves metrics, and nothing else', async () => {
  expect(await (await fetch(`${root}/metrics`)).text()).toContain('ticker_things_total 1')
  expect((await fetch(`${root}/`)).status).toBe(404)
  expect((await fetch(`${root}/healthz`, { method: 'POST' })).status).toBe(405)
})

it('the kill switch is closed while no token is configured', async () => {
  const answer = await fetch(`${root}/ops/kill`, { method: 'POST' })
  expect([answer.status, await answer.json()]).toEqual([
    503,
    expect.objectContaining({ code: 'kill_not_configured' }),
  ])
})
