import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { decodeFrame } from '@ticker/shared/kite-wire'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import type { Simulator } from '../index.ts'
import { call, INFY, NIFTY, place, startTestSimulator, USER } from '../testing/harness.ts'
import { asKiteTickerShows } from '../testing/kite-ticker-shape.ts'

// The official KiteTicker runs in a child process: its state is global to the process and it exits the process.
const CHILD = fileURLToPath(new URL('../testing/kite-ticker-child.ts', import.meta.url))
const line = z.object({ event: z.string(), data: z.unknown() })
type Line = z.output<typeof line>

let simulator: Simulator
beforeAll(async () => {
  simulator = await startTestSimulator({ heartbeatMs: 1_000 })
})
afterAll(() => simulator.stop())

async function run(accessToken: string, subscriptions: object, enough: (lines: Line[]) => boolean) {
  const child = spawn(
    process.execPath,
    [CHILD, simulator.wsUrl, USER.api_key, accessToken, JSON.stringify(subscriptions)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const lines: Line[] = []
  for await (const text of createInterface(child.stdout)) {
    lines.push(line.parse(JSON.parse(text)))
    if (enough(lines)) break
  }
  child.kill('SIGKILL')
  return lines
}

it('decodes every mode exactly as this project’s own reader does', async () => {
  const usdinr = (await (await fetch(`${simulator.url}/instruments/CDS`)).text()).split('\n')[1] ?? ''
  const currency = Number(usdinr.split(',')[0])
  const subscriptions = { ltp: [738561], quote: [341249, 260105], full: [INFY, NIFTY, currency] }
  const lines = await run(USER.access_token, subscriptions, (all) => {
    return all.filter((one) => one.event === 'ticks').length >= 40
  })
  const seen = new Set<string>()
  let compared = 0
  for (const [index, { event, data }] of lines.entries()) {
    const raw = lines[index - 1]
    if (event !== 'ticks' || raw?.event !== 'frame') continue
    const ours = decodeFrame(Uint8Array.from(Buffer.from(String(raw.data), 'hex')))
    expect(data).toEqual(ours.map(asKiteTickerShows))
    for (const tick of ours) seen.add(`${tick.instrument_token}:${tick.mode}`)
    compared += ours.length
  }
  expect(compared).toBeGreaterThan(100)
  expect([...seen]).toEqual(
    expect.arrayContaining([
      '738561:ltp',
      '341249:quote',
      '260105:quote',
      `${INFY}:full`,
      `${NIFTY}:full`,
      `${currency}:full`,
    ]),
  )
})

it('hears of an order that was filled', async () => {
  let placed: Promise<string> | undefined
  const lines = await run(USER.access_token, {}, (all) => {
    placed ??= place(simulator, { price: 2_000, tag: 'ticker' })
    return all.some((one) => one.event === 'order')
  })
  const order = lines.find((one) => one.event === 'order')?.data
  expect(order).toMatchObject({
    order_id: await placed,
    status: 'COMPLETE',
    filled_quantity: 10,
    tag: 'ticker',
  })
})

it('shows a 403 for a dead token', async () => {
  const lines = await run('dead', {}, (all) => all.some((one) => one.event === 'error'))
  expect(lines.map((one) => one.data)).toContain('Unexpected server response: 403')
})

it('decodes a load as this project’s own reader does', async () => {
  await call(simulator, 'POST', '/sim/rate', { ticks_per_s: 500 })
  const lines = await run(USER.access_token, { full: [INFY, NIFTY] }, (all) => {
    return all.filter((one) => one.event === 'ticks').length >= 40
  })
  await call(simulator, 'DELETE', '/sim/rate')
  let compared = 0
  for (const [index, { event, data }] of lines.entries()) {
    const raw = lines[index - 1]
    if (event !== 'ticks' || raw?.event !== 'frame') continue
    const ours = decodeFrame(Uint8Array.from(Buffer.from(String(raw.data), 'hex')))
    expect(data).toEqual(ours.map(asKiteTickerShows))
    compared += ours.length
  }
  expect(compared).toBeGreaterThan(30)
})

it('shows a 429', async () => {
  await call(simulator, 'POST', '/sim/faults', { kind: 'upgrade_429', count: 1 })
  const lines = await run(USER.access_token, {}, (all) => all.some((one) => one.event === 'error'))
  expect(lines.map((one) => one.data)).toContain('Unexpected server response: 429')
})
