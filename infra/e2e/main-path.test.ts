// The main job through every real component: log in, subscribe, receive, order; then take parts away.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { decodeFrame, readPublishedFrame } from '@ticker/shared/kite-wire'
import { chromium } from 'playwright-core'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { CHROMIUM, ensureProgram } from '../local/debian-package.ts'
import { runReplay } from '../local/replay.ts'
import { until } from '../local/seed.ts'
import { openStream } from '../local/stream-client.ts'
import { DEMO_USERS } from '../local/system.ts'
import { runKiteTicker } from './clients/kite-ticker.ts'
import { type RunningSystem, runSystem } from './running-system.ts'

const RECORDING_ROWS = 3_000
let running: RunningSystem
let folder: string
let recording: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ticker-recording-'))
  recording = join(folder, 'ticks.csv.gz')
  // A token that no dump has, so that nothing but the recording ever moves it.
  const rows = Array.from({ length: RECORDING_ROWS }, (_, index) => {
    const at = new Date(Date.UTC(2025, 9, 9, 9, 15) + index * 250)
      .toISOString()
      .replace('T', ' ')
      .replace('Z', '000')
    return `${at},10924290,${(100 + (index % 997) * 0.05).toFixed(2)}`
  })
  await writeFile(recording, gzipSync(`timestamp,token,ltp\n${rows.join('\n')}\n`))
  running = await runSystem([
    '--no-delays',
    '--no-rate-limits',
    '--replay',
    recording,
    '--replay-start',
    'when_told',
  ])
})
afterAll(async () => {
  await running?.stop()
  await rm(folder, { recursive: true, force: true })
})

const order = z.object({
  id: z.string(),
  state: z.string(),
  broker_orders: z.array(z.object({ order_id: z.string(), status: z.string(), filled_quantity: z.number() })),
})
const limitOrder = {
  account_id: 'demo',
  exchange: 'NSE',
  tradingsymbol: 'INFY',
  transaction_type: 'BUY',
  quantity: 1,
  product: 'CNC',
  order_type: 'LIMIT',
}
let keys = 0
function place(body: Record<string, unknown>, key = `e2e-${++keys}`) {
  return running.api.call(
    order,
    'POST',
    '/v1/orders',
    { ...limitOrder, ...body },
    { 'Idempotency-Key': key, Prefer: 'wait=10' },
  )
}
const read = (id: string) => running.api.call(order, 'GET', `/v1/orders/${id}`)
const codeOf = (body: unknown) => z.object({ code: z.string() }).parse(body).code
const subscribe = (instruments: (string | number)[], mode = 'full') =>
  running.api.call(z.unknown(), 'PUT', '/v1/subscriptions', { instruments, mode })
const ready = async () => (await fetch(`${running.system.opsUrl}/readyz`)).ok
const metric = async (name: string) => {
  const text = await (await fetch(`${running.system.opsUrl}/metrics`)).text()
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (.*)$`, 'm').exec(text)?.[1] ?? Number.NaN)
}
async function kiteCredentials() {
  const token = z.object({ api_key: z.string(), access_token: z.string(), kite_socket_url: z.string() })
  const made = await running.api.call(token, 'POST', '/v1/kite-tokens', { account_id: 'demo' })
  return { root: made.kite_socket_url, apiKey: made.api_key, accessToken: made.access_token }
}

describe('login in a real browser', () => {
  it('a second account logs in on the broker’s page, once, in the browser that opened the link', async () => {
    const [, second] = DEMO_USERS
    const { api } = running
    await api.call(z.unknown(), 'POST', '/v1/accounts', {
      id: 'second',
      api_key: second.api_key,
      api_secret: second.api_secret,
    })
    const { login_url } = await api.call(
      z.object({ login_url: z.string() }),
      'POST',
      '/v1/accounts/second/login',
    )
    const browser = await chromium.launch({
      executablePath: await ensureProgram(CHROMIUM, console.log),
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    })
    try {
      const page = await browser.newPage()
      await page.goto(login_url)
      await page.fill('input[name=user_id]', second.user_id)
      await page.fill('input[name=password]', 'any')
      await page.fill('input[name=totp]', '123456')
      await page.click('button[type=submit], input[type=submit], button')
      await page.waitForURL(/\/kite\/callback/)
      expect(await page.textContent('body')).toMatch(/logged in/i)
      const other = await browser.newContext()
      const again = await (await other.newPage()).goto(login_url)
      expect(again?.status()).toBe(403)
    } finally {
      await browser.close()
    }
    const session = z.object({ status: z.string(), broker_user_id: z.string() })
    expect(await api.call(session, 'GET', '/v1/accounts/second/session')).toEqual({
      status: 'active',
      broker_user_id: 'CD5678',
    })
    const fleet = z.object({ instances: z.array(z.object({ id: z.string(), alive: z.boolean() })) })
    const instance = (await api.call(fleet, 'GET', '/v1/fleet')).instances.find((each) => each.alive)
    const status = z.object({ accounts: z.array(z.object({ account_id: z.string(), session: z.string() })) })
    await until('the running data plane uses the new session', async () => {
      const { accounts } = await api.call(status, 'GET', `/v1/fleet/instances/${instance?.id}`)
      return accounts.some((account) => account.account_id === 'second' && account.session === 'active')
    })
  })
})

describe('ticks', () => {
  it('500 instruments tick on /v1/stream: a snapshot first, then each tick once and in order', async () => {
    const page = z.object({ items: z.array(z.object({ instrument_token: z.number() })) })
    const { items } = await running.api.call(page, 'GET', '/v1/instruments?exchange=NFO&limit=500')
    const tokens = items.map((item) => item.instrument_token)
    expect(tokens).toHaveLength(500)
    await subscribe(tokens)
    const client = await openStream(running.api)
    client.send({ op: 'subscribe', instruments: tokens, mode: 'full', delivery: 'every' })
    await until(
      'all 500 tick',
      async () => new Set(client.ticks.map((tick) => tick.instrument_token)).size === 500,
    )
    const seqs = client.ticks.map((tick) => tick.seq)
    expect(seqs.every((seq, index) => index === 0 || seq > (seqs[index - 1] ?? 0))).toBe(true)
    const snapshot = client.messages.findIndex((message) => message.op === 'snapshot')
    expect(
      snapshot === -1
        ? 0
        : (client.messages[snapshot]?.ticks ?? []).filter((tick) => seqs.includes(tick.seq)).length,
    ).toBe(0)
    client.close()
  })

  it('are published in Redis as marked binary frames', async () => {
    const redis = createClient({ url: running.system.redisUrl })
    await redis.connect()
    const seen = new Set<number>()
    let synthetic = true
    await redis.pSubscribe(
      'sim:ticks:raw:*',
      (message) => {
        const frame = readPublishedFrame(new Uint8Array(message))
        if (!frame.ok) throw new Error(frame.reason)
        synthetic &&= frame.header.synthetic
        for (const tick of decodeFrame(frame.container)) seen.add(tick.instrument_token)
      },
      true,
    )
    await until('hundreds of instruments are published', async () => seen.size > 300)
    expect(synthetic).toBe(true)
    redis.destroy()
  })

  it('reach the official KiteTicker unmodified, at every form of the root, each in its own mode', async () => {
    await subscribe(['NSE:INFY', 'NSE:NIFTY 50'])
    const credentials = await kiteCredentials()
    const forms = ['', '/', '/kite/ws', '/kite/ws/']
    const modes = ['full', 'quote', 'ltp', 'full'] as const
    const tickers = forms.map((form, index) =>
      runKiteTicker(
        { ...credentials, root: credentials.root + form },
        modes[index] ?? 'full',
        [408065, 256265],
      ),
    )
    try {
      for (const [index, ticker] of tickers.entries()) {
        await until(`ticks at root "${forms[index]}"`, async () => {
          const ticks = ticker.events.filter((event) => event.kind === 'tick' && event.mode === modes[index])
          return new Set(ticks.map((tick) => tick.instrument_token)).size === 2
        })
      }
    } finally {
      for (const ticker of tickers) ticker.stop()
    }
  })

  it('a recording arrives whole: every row, none twice, in order', async () => {
    const count = await runReplay({
      system: running.system,
      api: running.api,
      file: recording,
      speed: 200,
      report: () => {},
    })
    expect(count).toEqual({
      rows: RECORDING_ROWS,
      received: RECORDING_ROWS,
      duplicates: 0,
      outOfOrder: 0,
      different: 0,
    })
  })

  it('come back after the broker drops the socket, and the client is told of the gap', async () => {
    const client = await openStream(running.api)
    client.send({ op: 'subscribe', instruments: ['NSE:INFY'], delivery: 'every' })
    await until('ticks before', async () => client.ticks.length > 0)
    await running.fault('drop_socket')
    await until('a gap marker', async () => client.messages.some((message) => message.op === 'gap'))
    const before = client.ticks.length
    await until('ticks after', async () => client.ticks.length > before)
    client.close()
  })
})

describe('orders', () => {
  it('a limit order is accepted, filled, told to Kite clients with the caller’s tag, and sent once for one key', async () => {
    const credentials = await kiteCredentials()
    const ticker = runKiteTicker(credentials, 'ltp', [408065])
    await until('the Kite client is connected', async () =>
      ticker.events.some((event) => event.kind === 'tick'),
    )
    const first = await place({ price: 1600, tag: 'mine' }, 'once')
    expect(first.state).toBe('ACCEPTED')
    await until('it is filled', async () => (await read(first.id)).broker_orders[0]?.status === 'COMPLETE')
    await until('the Kite client hears of it', async () =>
      ticker.events.some(
        (event) => event.kind === 'order' && event.status === 'COMPLETE' && event.tag === 'mine',
      ),
    )
    ticker.stop()
    expect((await place({ price: 1600, tag: 'mine' }, 'once')).id).toBe(first.id)
    const conflict = await running.api.request(
      'POST',
      '/v1/orders',
      { ...limitOrder, price: 1601 },
      { 'Idempotency-Key': 'once' },
    )
    expect([conflict.status, codeOf(await conflict.json())]).toEqual([422, 'idempotency_conflict'])
    const kinds = z.object({ items: z.array(z.object({ kind: z.string() })) })
    const events = await running.api.call(kinds, 'GET', `/v1/orders/${first.id}/events`)
    expect(events.items.slice(0, 3).map((event) => event.kind)).toEqual([
      'intent.queued',
      'intent.sending',
      'intent.accepted',
    ])
  })

  it('row 21: the reply is lost: in doubt, then found by its tag; one order at the broker', async () => {
    const before = await brokerOrders()
    await running.fault('lose_reply')
    const placed = await place({ price: 1100 })
    await until('it is found', async () => (await read(placed.id)).state === 'ACCEPTED')
    expect((await read(placed.id)).broker_orders).toHaveLength(1)
    expect(await brokerOrders()).toBe(before + 1)
  })

  it('row 23: it never arrived: it stays in doubt and is not sent again', async () => {
    const before = await brokerOrders()
    await running.fault('never_arrives')
    const placed = await place({ price: 1101 })
    expect(placed.state).toBe('UNKNOWN')
    const reads = await metric('ticker_order_book_reads_total')
    await until(
      'the book was read for it',
      async () => (await metric('ticker_order_book_reads_total')) >= reads + 2,
    )
    expect((await read(placed.id)).state).toBe('UNKNOWN')
    expect(await brokerOrders()).toBe(before)
  })

  it('a rejection by risk management is shown, not retried', async () => {
    await running.fault('reject_order', { how: 'async' })
    const placed = await place({ price: 1102 })
    expect(placed.state).toBe('ACCEPTED')
    await until(
      'it is shown as rejected',
      async () => (await read(placed.id)).broker_orders[0]?.status === 'REJECTED',
    )
  })

  async function brokerOrders(): Promise<number> {
    const state = z.object({ data: z.object({ orders: z.number() }) })
    return state.parse(await (await fetch(`${running.system.simulatorUrl}/sim/state`)).json()).data.orders
  }
})

describe('bad input', () => {
  it.each([
    ['PUT', '/v1/subscriptions', { instruments: [1] }, 422, 'instrument_unknown'],
    ['PUT', '/v1/subscriptions', { instruments: ['NSE:INFY'], mode: 'depth' }, 400, 'invalid_request'],
    ['POST', '/v1/orders', { ...limitOrder, price: 1500 }, 400, 'idempotency_key_missing'],
    ['GET', '/v1/nothing', undefined, 404, 'not_found'],
  ])('%s %s %j: %i %s', async (method, path, body, status, code) => {
    const response = await running.api.request(method, path, body)
    expect([response.status, codeOf(await response.json())]).toEqual([status, code])
  })

  it('no key, malformed JSON and a body over 1 MB are told apart', async () => {
    const send = (headers: Record<string, string>, body: string) =>
      fetch(`${running.system.controlPlaneUrl}/v1/subscriptions`, {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json', ...headers },
        body,
      })
    const key = { Authorization: `Bearer ${running.apiKey}` }
    const answers = await Promise.all([
      send({}, '{}'),
      send(key, '{'),
      send(key, JSON.stringify({ x: 'y'.repeat(1_100_000) })),
    ])
    expect(answers.map((answer) => answer.status)).toEqual([401, 400, 413])
  })
})

describe('parts taken away', () => {
  it('Redis stopped: a subscription change is accepted and its ticks arrive; published again when it is back', async () => {
    await running.system.redis.kill()
    const client = await openStream(running.api)
    await subscribe(['BSE:SENSEX'])
    client.send({ op: 'subscribe', instruments: ['BSE:SENSEX'], delivery: 'every' })
    await until(
      'the new instrument ticks',
      async () =>
        client.ticks.length > 0 || client.messages.some((message) => (message.ticks?.length ?? 0) > 0),
      15_000,
    )
    client.close()
    await running.system.redis.start()
    const before = await metric('ticker_publish_ticks_total')
    await until('publishing goes on', async () => (await metric('ticker_publish_ticks_total')) > before)
  })

  it('the data plane killed: ticks and the state of a working order come back by themselves', async () => {
    const resting = await place({ price: 1000 })
    await until('it rests', async () => (await read(resting.id)).broker_orders[0]?.status === 'OPEN')
    running.system.dataPlane.kill('SIGKILL')
    await until('it is down', async () => !running.system.dataPlane.isRunning())
    await running.system.dataPlane.start()
    await until('it is ready', ready, 60_000)
    // The lease of the killed process must run out first: at most 10 s (row 10 promises ticks within 20 s).
    const client = await openStream(running.api)
    client.send({ op: 'subscribe', instruments: ['NSE:INFY'], delivery: 'every' })
    await until('ticks are back', async () => client.ticks.length > 0, 60_000)
    client.close()
    expect((await read(resting.id)).broker_orders[0]?.status).toBe('OPEN')
    const next = await place({ price: 1600 })
    await until('orders go on', async () => (await read(next.id)).broker_orders[0]?.status === 'COMPLETE')
  })
})

it('no part logged a secret', async () => {
  const logs = await running.logs()
  expect(logs.length).toBeGreaterThan(1_000)
  const credentials = await kiteCredentials()
  for (const secret of [
    running.apiKey,
    DEMO_USERS[0].api_secret,
    DEMO_USERS[1].api_secret,
    credentials.accessToken,
  ]) {
    expect(logs).not.toContain(secret)
  }
  expect(logs).not.toMatch(/request_token=[A-Za-z0-9]/)
})
