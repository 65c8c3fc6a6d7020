// RELIABILITY row 16: what is said to a data plane is said three times over and backwards, and is lost.
import { afterAll, beforeAll, expect, it } from 'vitest'
import { z } from 'zod'
import { median } from '../bench/measure.ts'
import { subscribedAtBroker } from '../e2e/broker-side.ts'
import { type CommandStream, openCommandStream } from '../e2e/command-stream.ts'
import { createDesk, type Desk } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import { until } from '../local/seed.ts'
import { holdsAlways, holdsWithin } from './promise.ts'

const ROUNDS = 10
const REPEATS = 3
const APPLIED_MS = 1_000
/** Promised. */
const LATER_MS = 2_000
const INSTRUMENT = 'BSE:SENSEX'

let desk: Desk
let commands: CommandStream
beforeAll(async () => {
  desk = createDesk(await runSystem(['--no-delays', '--no-rate-limits']))
  commands = await openCommandStream(desk)
  await desk.subscribe(['NSE:INFY'])
  await until('it is subscribed', async () => (await subscribedAtBroker(desk)) === 1)
})
afterAll(async () => {
  commands?.close()
  await desk?.stop()
})

/** Subscribes the instrument, or ends that; until the broker has it so. */
async function change(subscribed: boolean): Promise<number> {
  const wanted = (await subscribedAtBroker(desk)) + (subscribed ? 1 : -1)
  const body = { instruments: [INSTRUMENT] }
  const startedMs = performance.now()
  if (subscribed) await desk.subscribe(body.instruments)
  else await desk.api.call(z.unknown(), 'DELETE', '/v1/subscriptions', body)
  await until('the change is applied', async () => (await subscribedAtBroker(desk)) === wanted)
  return performance.now() - startedMs
}

it('row 16: commands three times over and backwards have one effect', { timeout: 300_000 }, async () => {
  const appliedMs: number[] = []
  const orders: number[] = []
  const copies: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = (await commands.said()).length
    const order = await desk.place({ price: 1 })
    appliedMs.push(await change(true), await change(false))
    const said = (await commands.said()).slice(before).toReversed()
    expect(said.length).toBeGreaterThan(0)
    for (let repeat = 0; repeat < REPEATS; repeat += 1) for (const fields of said) await commands.say(fields)
    // What follows them is heard, so they have been.
    appliedMs.push(await change(true), await change(false))
    orders.push((await desk.order(order.id)).broker_orders.length)
    copies.push((await desk.ordersAtBroker()) - round - 1)
  }
  holdsAlways(16, 'broker orders of an order whose commands came three times', orders, 1)
  holdsAlways(16, 'orders at the broker too many', copies, 0)
  holdsWithin(16, 'a change behind commands three times over → at the broker', appliedMs, APPLIED_MS)
})

it('row 16: lost commands are made up for', { timeout: 300_000 }, async () => {
  const round = async () => [await change(true), await change(false)]
  const heardMs: number[] = []
  const lostMs: number[] = []
  for (let count = 0; count < ROUNDS; count += 1) heardMs.push(...(await round()))
  await commands.losing(async () => {
    for (let count = 0; count < ROUNDS; count += 1) lostMs.push(...(await round()))
  })
  // Each begins right after the look at the database that found the one before, so all are of the worst.
  const laterMs = lostMs.map((ms) => ms - median(heardMs))
  holdsWithin(16, 'a change → at the broker', heardMs, APPLIED_MS)
  holdsWithin(16, 'a change whose command is lost: so much later', laterMs, LATER_MS)
  expect(await subscribedAtBroker(desk)).toBe(1)
})
