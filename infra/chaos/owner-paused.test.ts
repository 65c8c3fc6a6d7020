// RELIABILITY row 11: the owner of an account stands still for half a minute with orders on their way, another one takes
// over, and then the first one goes on where it stood.
import { afterAll, beforeAll, it } from 'vitest'
import { seededChance } from '../../data-plane/src/testing/send-path/scheduler.ts'
import { createDesk, type Desk } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import type { Part } from '../local/part.ts'
import { until } from '../local/seed.ts'
import { openRows, type Rows, submitBurst } from './burst-of-orders.ts'
import { lasts } from './lasts.ts'
import { holdsAlways, measuredOnly } from './promise.ts'

const PAUSES = 5
const PAUSE_MS = 30_000
const ORDERS = 40
/** While the orders go out, 8 a second. */
const PAUSED_WITHIN_MS = 4_000
const SEED = Number(process.env.SEED ?? 1)

let desk: Desk
let rows: Rows
let parts: [Part, Part]
beforeAll(async () => {
  desk = createDesk(await runSystem(['--no-delays']))
  parts = [desk.system.dataPlane, await desk.system.startSecondDataPlane()]
  rows = await openRows(desk)
})
afterAll(async () => {
  for (const part of parts ?? []) part.kill('SIGCONT')
  await rows?.close()
  await desk?.stop()
})

it(`row 11: paused ${PAUSES} times for 30 s with ${ORDERS} orders due (SEED=${SEED})`, {
  timeout: 900_000,
}, async () => {
  const chance = seededChance(SEED)
  const doubled: number[] = []
  const lost: number[] = []
  const strays: number[] = []
  const takenOverMs: number[] = []
  for (let pause = 0; pause < PAUSES; pause += 1) {
    const burst = `pause-${pause}`
    const before = await desk.ordersAtBroker()
    const owner = await rows.owner()
    // They take turns: who was paused has lost the account.
    const paused = pause % 2 === 0 ? parts[0] : parts[1]
    await submitBurst(desk, burst, ORDERS)
    await lasts(chance.between(0, PAUSED_WITHIN_MS))
    paused.kill('SIGSTOP')
    const pausedMs = performance.now()
    await until('another one owns it', async () => (await rows.owner())?.instance !== owner?.instance)
    takenOverMs.push(performance.now() - pausedMs)
    await lasts(PAUSE_MS - (performance.now() - pausedMs))
    paused.kill('SIGCONT')
    const settled = async () => {
      const states = await rows.statesOf(burst)
      return (states.get('ACCEPTED') ?? 0) + (states.get('UNKNOWN') ?? 0) === ORDERS
    }
    await until('all are settled', settled, 60_000)
    const states = await rows.statesOf(burst)
    const accepted = states.get('ACCEPTED') ?? 0
    console.log(`pause ${pause + 1}: ${[...states].map(([state, n]) => `${n} ${state}`).join(', ')}`)
    lost.push(ORDERS - accepted - (states.get('UNKNOWN') ?? 0))
    doubled.push(await rows.doubled(burst))
    strays.push((await desk.ordersAtBroker()) - before - accepted)
  }
  holdsAlways(11, 'intents with more than one order at the broker', doubled, 0)
  holdsAlways(11, 'intents lost', lost, 0)
  holdsAlways(11, 'orders at the broker of no accepted intent', strays, 0)
  measuredOnly(11, 'paused → its account is owned by another', takenOverMs)
})
