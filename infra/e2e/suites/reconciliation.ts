// Our record against the broker's: what was done elsewhere while nobody looked, and profit and loss by our own fills.
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { DEMO_USERS } from '../../local/system.ts'
import { launchBrowser } from '../browser.ts'
import { type Desk, LIMIT_ORDER } from '../desk.ts'

const INFY = 408_065
/** INFY trades about 1,500. */
const [BUYS_AT_ONCE, SELLS_AT_ONCE] = [1_600, 1_400]
const GOLD = { exchange: 'MCX', tradingsymbol: 'GOLD26DECFUT', product: 'NRML' }

const list = z.object({ count: z.number(), items: z.array(z.looseObject({ kind: z.string().optional() })) })
const report = z.object({
  id: z.string(),
  state: z.string(),
  report: z
    .object({ drift: list, mended: list, external: list, compared: z.object({ orders: z.number() }) })
    .nullable(),
})
type Report = z.infer<typeof report>
const figures = { realised: z.number(), unrealised: z.number(), pnl: z.number(), day_pnl: z.number() }
const position = z.object({
  ...figures,
  ...{ exchange: z.string(), tradingsymbol: z.string(), product: z.string(), quantity: z.number() },
  ...{ overnight_quantity: z.number(), multiplier: z.number(), price_from: z.string().nullable() },
  broker: z.object({ quantity: z.number(), realised: z.number() }),
  difference: z.number(),
})
const pnl = z.object({
  account: z.object({ ...figures }),
  strategies: z.array(
    z.object({
      strategy: z.string().nullable(),
      ...figures,
      positions: z.array(z.object({ tradingsymbol: z.string(), quantity: z.number() })),
    }),
  ),
  positions: z.array(position),
  ...{ stale: z.array(z.string()), unknown: z.array(z.string()) },
})

export function reconciliationSuite(desk: () => Desk) {
  describe('reconciliation', () => {
    const user_id = DEMO_USERS[0].user_id
    const page = z.object({ items: z.array(report) })
    const reports = async (reason: string) =>
      (await desk().api.call(page, 'GET', `/v1/reconciliations?account_id=demo&reason=${reason}`)).items
    /** Orders in doubt are left by the suites before. */
    const driftOf = (made: Report) => made.report?.drift.items.filter(({ kind }) => kind !== 'in_doubt')
    const filled = async (change: Record<string, unknown>) => {
      const { id } = await desk().place(change)
      await until('it is filled', async () => (await desk().brokerStatus(id)) === 'COMPLETE', 10_000)
      return id
    }

    it('an order placed elsewhere while the data plane is down: the report at its start says so', async () => {
      const [before] = await reports('start')
      await desk().system.dataPlane.stop()
      const { account_id: _, ...form } = { ...LIMIT_ORDER, quantity: '2', price: `${BUYS_AT_ONCE}` }
      const placed = z.object({ order_id: z.string() }).parse(
        await desk().simulator('POST', '/sim/orders', {
          user_id,
          form: { ...form, validity: 'DAY' },
        }),
      )
      await desk().system.dataPlane.start()
      await until('it is ready', desk().isReady, 60_000)
      let made: Report | undefined
      await until(
        'the report is made',
        async () => {
          made = (await reports('start')).find(({ id, state }) => id !== before?.id && state === 'DONE')
          return made !== undefined
        },
        60_000,
      )
      expect(made?.report?.external.items).toContainEqual(
        expect.objectContaining({ order_id: placed.order_id, filled_quantity: 2 }),
      )
      expect(made && driftOf(made)).toEqual([])
    })

    it('profit and loss by our own fills is the broker’s, of lots that were carried over too', async () => {
      const carried = { ...GOLD, quantity: 2, average_price: 120_000 }
      await desk().simulator('POST', '/sim/positions', { user_id, positions: [carried] })
      await desk().subscribe([INFY])
      await filled({ price: BUYS_AT_ONCE, quantity: 4, strategy: 'alpha' })
      await filled({ price: SELLS_AT_ONCE, quantity: 1, strategy: 'alpha', transaction_type: 'SELL' })
      const sale = { ...GOLD, transaction_type: 'SELL', quantity: 1, price: 90_000, strategy: 'beta' }
      await filled(sale)

      const made = await desk().api.call(pnl, 'GET', '/v1/pnl?account_id=demo')
      for (const each of made.positions) {
        expect([each.tradingsymbol, each.quantity]).toEqual([each.tradingsymbol, each.broker.quantity])
        expect(each.realised).toBeCloseTo(each.broker.realised, 2)
        expect(each.realised + each.unrealised).toBeCloseTo(each.pnl, 3)
        if (each.price_from !== 'tick') expect(each.difference).toBeCloseTo(0, 1)
      }
      const gold = made.positions.find(({ tradingsymbol }) => tradingsymbol === GOLD.tradingsymbol)
      expect(gold).toMatchObject({
        quantity: 1,
        overnight_quantity: 2,
        multiplier: 100,
        price_from: 'broker',
      })
      expect(gold?.realised).not.toBe(0)
      expect(made.stale).toContain('MCX:GOLD26DECFUT:NRML')
      expect(made.positions).toContainEqual(
        expect.objectContaining({ tradingsymbol: 'INFY', price_from: 'tick' }),
      )
      const strategy = (name: string | null) => made.strategies.find((each) => each.strategy === name)
      expect(strategy('alpha')?.positions).toMatchObject([{ tradingsymbol: 'INFY', quantity: 3 }])
      expect(strategy('beta')?.positions).toMatchObject([{ quantity: -1 }])
      expect(strategy(null)?.positions).toContainEqual(
        expect.objectContaining({ tradingsymbol: GOLD.tradingsymbol, quantity: 2 }),
      )
      const sum = made.strategies.reduce((total, each) => total + each.pnl, 0)
      expect(sum).toBeCloseTo(made.account.pnl, 2)
    })

    it('asked for, it agrees; the console shows both', async () => {
      const { id } = await desk().api.call(report, 'POST', '/v1/reconciliations', { account_id: 'demo' })
      let made: Report | undefined
      await until('it is made', async () => {
        made = await desk().api.call(report, 'GET', `/v1/reconciliations/${id}`)
        return made.state === 'DONE'
      })
      expect(made && driftOf(made)).toEqual([])
      expect(made?.report?.compared.orders).toBeGreaterThan(3)

      const browser = await launchBrowser()
      try {
        const console = await browser.newPage()
        await console.goto(`${desk().system.controlPlaneUrl}/`)
        await console.fill('input[name=key]', desk().apiKey)
        await console.click('button[type=submit]')
        await console.getByRole('link', { name: 'P&L' }).click()
        await console.getByRole('rowheader', { name: 'MCX:GOLD26DECFUT' }).waitFor()
        await console.getByRole('rowheader', { name: 'alpha' }).waitFor()
        await console
          .getByText(/^asked for/)
          .first()
          .waitFor()
      } finally {
        await browser.close()
      }
    })
  })
}
