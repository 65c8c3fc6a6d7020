// The kill switch through its own door, and by API: everything open is cancelled, nothing goes out until a person says so.
import { afterEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { type Desk, LIMIT_ORDER, refusalOf } from '../desk.ts'

/** INFY trades about 1,500. */
const RESTS = 1_150
const states = z.object({
  accounts: z.array(
    z.object({
      account_id: z.string(),
      state: z.string(),
      sweep_requested_at: z.string().nullable(),
      open_orders: z.number(),
      orders_in_doubt: z.number(),
    }),
  ),
})
const killStatus = z.object({
  halts: z.array(z.object({ account_id: z.string() })),
  sweeps: z.array(z.object({ account_id: z.string(), state: z.string(), open: z.number() })),
})

export function killSwitchSuite(desk: () => Desk) {
  describe('kill switch', () => {
    const demo = async () => {
      const { accounts } = await desk().api.call(states, 'GET', '/v1/trading-state')
      const found = accounts.find(({ account_id }) => account_id === 'demo')
      if (!found) throw new Error('no such account')
      return found
    }
    // What goes wrong here must not keep the suites after it from trading.
    afterEach(() => desk().api.call(states, 'PUT', '/v1/trading-state', { state: 'ACTIVE', reason: 'over' }))
    const setState = (state: string) =>
      desk().api.call(states, 'PUT', '/v1/trading-state', { account_id: 'demo', state, reason: 'test' })
    const opened = async (count: number, tag: string) => {
      const placed = await Promise.all(
        Array.from({ length: count }, (_, index) => desk().place({ price: RESTS }, `${tag}-${index}`)),
      )
      for (const { id } of placed)
        await until('it is open', async () => (await desk().brokerStatus(id)) === 'OPEN')
      return placed
    }
    const allCancelled = async (placed: { id: string }[]) => {
      for (const { id } of placed)
        await until('it is cancelled', async () => (await desk().brokerStatus(id)) === 'CANCELLED')
    }
    const tryToPlace = (key: string) =>
      desk().api.request('POST', '/v1/orders', { ...LIMIT_ORDER, price: RESTS }, { 'Idempotency-Key': key })
    const door = (method: string, token: string) =>
      fetch(`${desk().system.opsUrl}/ops/kill`, { method, headers: { authorization: `Bearer ${token}` } })

    it('row 35: pulled at the data plane while Redis is away: nothing but the broker is needed', async () => {
      const placed = await opened(3, 'kill-ops')
      await desk().system.redis.stop()
      try {
        await pullAtTheDoor(placed)
      } finally {
        await desk().system.redis.start()
      }
    })

    async function pullAtTheDoor(placed: { id: string }[]) {
      expect((await door('POST', 'wrong')).status).toBe(401)
      const pulled = await door('POST', desk().system.killToken)
      expect(pulled.status).toBe(202)
      const halted = killStatus.parse(await pulled.json()).halts.map(({ account_id }) => account_id)
      expect(halted).toContain('demo')
      await allCancelled(placed)
      await until('nothing is open any more', async () => {
        const said = killStatus.parse(await (await door('GET', desk().system.killToken)).json())
        const sweep = said.sweeps.find(({ account_id }) => account_id === 'demo')
        // What another suite has left in doubt may still turn up: then it is not over.
        return sweep?.open === 0 && ['done', 'waiting_for_doubt'].includes(sweep.state)
      })
      await until('Postgres knows', async () => (await demo()).state === 'HALTED')
      expect(await refusalOf(await tryToPlace('kill-refused'))).toEqual([409, 'order_gate_closed'])
      for (const account_id of halted)
        await desk().api.call(states, 'PUT', '/v1/trading-state', {
          account_id,
          state: 'ACTIVE',
          reason: 'over',
        })
      await until('the data plane has let go', async () => {
        const said = killStatus.parse(await (await door('GET', desk().system.killToken)).json())
        return said.halts.length === 0
      })
    }

    it('pulled by API it survives the process that was to do it', async () => {
      const placed = await opened(2, 'kill-api')
      desk().system.dataPlane.kill('SIGKILL')
      await until('it is down', async () => !desk().system.dataPlane.isRunning())
      await desk().api.call(states, 'POST', '/v1/kill-switch', { account_id: 'demo', reason: 'test' })
      await desk().system.dataPlane.start()
      await allCancelled(placed)
      const { sweep_requested_at, orders_in_doubt } = await demo()
      if (orders_in_doubt === 0)
        await until('it is over', async () => (await demo()).sweep_requested_at === null)
      else expect(sweep_requested_at).not.toBeNull()
      await setState('ACTIVE')
      const [again] = await opened(1, 'kill-after')
      expect(again?.state).toBe('ACCEPTED')
    })
  })
}
