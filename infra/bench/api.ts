// API latency in workerd against a bare Hono route with one SQL read, request by request in turn, over one bridge.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ROOT } from '../local/child.ts'
import { freePort } from '../local/free-port.ts'
import { startPart } from '../local/part.ts'
import { ApiClient, seed } from '../local/seed.ts'
import { DEMO_USERS } from '../local/system.ts'
import { startTemporarySystem } from '../local/temporary-system.ts'
import { percentile, type Row } from './measure.ts'

const ROUNDS = 400
const WARM_UP = 50

export async function api(): Promise<Row[]> {
  const { system, stateDir, stop } = await startTemporarySystem(['--no-rate-limits', '--no-delays'])
  const port = await freePort()
  const root = `http://127.0.0.1:${port}`
  const baseline = await startPart({
    name: 'baseline Worker',
    command: join(ROOT, 'node_modules/.bin/wrangler'),
    // Both Workers read the same variables: the same database, through the same bridge.
    args: [
      'dev',
      '--config',
      join(ROOT, 'infra/bench/baseline-worker/wrangler.toml'),
      '--port',
      String(port),
      '--ip',
      '127.0.0.1',
      '--inspector-port',
      String(await freePort()),
      '--env-file',
      join(stateDir, 'worker.env'),
      '--show-interactive-dev-session=false',
      '--log-level',
      'warn',
    ],
    cwd: ROOT,
    env: { ...process.env, CLOUDFLARE_CF_FETCH_ENABLED: 'false', WRANGLER_SEND_METRICS: 'false', CI: 'true' },
    logFile: join(stateDir, 'logs', 'baseline.log'),
    ready: async () => (await fetch(root)).ok,
    readyTimeoutMs: 60_000,
    report: () => {},
  })
  try {
    const client = new ApiClient(system.controlPlaneUrl, await seed(system, DEMO_USERS[0], undefined))
    const page = z.object({ items: z.array(z.object({ instrument_token: z.number() })) })
    const { items } = await client.call(page, 'GET', '/v1/instruments?exchange=NSE&limit=10')
    const instruments = items.map((item) => item.instrument_token)
    let orders = 0
    const order = {
      account_id: 'demo',
      exchange: 'NSE',
      tradingsymbol: 'INFY',
      transaction_type: 'BUY',
      quantity: 1,
      product: 'CNC',
      order_type: 'LIMIT',
      price: 1000,
      expires_in_s: 1,
    }
    const calls = {
      baseline: () => fetch(root),
      subscription: () => client.request('PUT', '/v1/subscriptions', { instruments, mode: 'full' }),
      order: () => client.request('POST', '/v1/orders', order, { 'Idempotency-Key': `bench-${++orders}` }),
    }
    const times: Record<keyof typeof calls, number[]> = { baseline: [], subscription: [], order: [] }
    for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
      for (const name of ['baseline', 'subscription', 'order'] as const) {
        const startedMs = performance.now()
        const response = await calls[name]()
        await response.arrayBuffer()
        if (!response.ok)
          throw new Error(
            `${name}: ${response.status} ${await readFile(join(stateDir, 'logs', 'worker.log'), 'utf8')}`,
          )
        if (round >= WARM_UP) times[name].push(performance.now() - startedMs)
      }
    }
    const row = (what: string, name: keyof typeof calls): Row => ({
      what: `API, ${what}, p50 / p99`,
      value: `${percentile(times[name], 50).toFixed(1)} / ${percentile(times[name], 99).toFixed(1)} ms`,
      target: '',
    })
    const ratio = (what: string, name: keyof typeof calls): Row => ({
      what: `API, ${what}, ratio at p50`,
      value: `${(percentile(times[name], 50) / percentile(times.baseline, 50)).toFixed(2)} ×`,
      target: '≤ 3 ×',
    })
    return [
      row('bare Hono route with one SQL read', 'baseline'),
      row('subscription put, 10 instruments', 'subscription'),
      row('order place', 'order'),
      ratio('subscription put', 'subscription'),
      ratio('order place', 'order'),
    ]
  } finally {
    await baseline.stop()
    await stop()
  }
}
