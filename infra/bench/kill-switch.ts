// The kill switch with a thousand orders open that were placed elsewhere: how soon the first cancel is at the broker, and
// how much of the rate that the broker allows the rest gets. The broker's own order times are what is measured.
import { z } from 'zod'
import { WRITES_PER_SECOND_MAX } from '../../data-plane/src/orders/governor.ts'
import { createDesk, type Desk, LIMIT_ORDER } from '../e2e/desk.ts'
import { runSystem } from '../e2e/running-system.ts'
import { until } from '../local/seed.ts'
import { DEMO_USERS } from '../local/system.ts'
import { pause } from './bench-system.ts'
import type { Row } from './measure.ts'

const ORDERS = 1_000
/** INFY trades about 1,500. */
const RESTS = 1_100
const LOOK_MS = 20
const status = z.object({
  sweeps: z.array(
    z.object({ account_id: z.string(), state: z.string(), open: z.number(), cancels_sent: z.number() }),
  ),
})

export async function killSwitch(): Promise<Row[]> {
  const desk = createDesk(await runSystem(['--no-delays', '--no-rate-limits']))
  try {
    const { account_id: _, ...order } = { ...LIMIT_ORDER, price: RESTS }
    const form = Object.fromEntries(Object.entries(order).map(([name, value]) => [name, String(value)]))
    for (let index = 0; index < ORDERS; index += 1)
      await desk.simulator('POST', '/sim/orders', { user_id: DEMO_USERS[0].user_id, form })
    await until('all are open', async () => (await desk.ordersAtBroker()) === ORDERS)
    const pulledMs = performance.now()
    await door(desk, 'POST')
    const sweep = async () => (await door(desk, 'GET')).sweeps.find(({ account_id }) => account_id === 'demo')
    let firstMs: number | undefined
    for (let now = await sweep(); now?.state !== 'done'; now = await sweep()) {
      if ((now?.cancels_sent ?? 0) > 0) firstMs ??= performance.now()
      await pause(LOOK_MS)
    }
    const doneMs = performance.now()
    const perSecond = (ORDERS / (doneMs - (firstMs ?? pulledMs))) * 1_000
    const what = `kill switch, ${ORDERS.toLocaleString('en-US')} orders open`
    return [
      {
        what: `${what}: first cancel answered after`,
        value: `${Math.round((firstMs ?? doneMs) - pulledMs)} ms`,
        target: '< 1,000 ms',
      },
      {
        what: `${what}: nothing open after / of the broker's ${WRITES_PER_SECOND_MAX} a second`,
        value: `${((doneMs - pulledMs) / 1_000).toFixed(1)} s / ${((perSecond / WRITES_PER_SECOND_MAX) * 100).toFixed(0)} %`,
        target: '≥ 95 %',
      },
    ]
  } finally {
    await desk.stop()
  }
}

async function door(desk: Desk, method: 'GET' | 'POST') {
  const response = await fetch(`${desk.system.opsUrl}/ops/kill`, {
    method,
    headers: { authorization: `Bearer ${desk.system.killToken}` },
  })
  return status.parse(await response.json())
}
