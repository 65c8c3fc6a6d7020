// The doorbell rings too often, out of order, with noise, or not at all: the state in Postgres decides.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { subscribedAtBroker } from '../broker-side.ts'
import { type CommandStream, openCommandStream } from '../command-stream.ts'
import type { Desk } from '../desk.ts'

/** Promised: 2 s at worst. */
const APPLIED_MS = 10_000
const REPEATS = 3

export function commandFaultSuite(desk: () => Desk) {
  describe('the command channel at fault', () => {
    let commands: CommandStream
    beforeAll(async () => {
      commands = await openCommandStream(desk())
    })
    afterAll(() => commands?.close())
    const atBroker = () => subscribedAtBroker(desk())

    it('row 16: commands three times over and backwards have one effect', async () => {
      const order = await desk().place({ price: 1 })
      const [orders, instruments] = [await desk().ordersAtBroker(), await atBroker()]
      const said = (await commands.said()).toReversed()
      expect(said.length).toBeGreaterThan(0)
      for (let repeat = 0; repeat < REPEATS; repeat += 1)
        for (const fields of said) await commands.say(fields)
      // What follows them is heard, so they have been.
      await desk().subscribe(['BSE:SENSEX'])
      await until('the next command acts', async () => (await atBroker()) === instruments + 1, APPLIED_MS)
      expect(await desk().ordersAtBroker()).toBe(orders)
      expect((await desk().order(order.id)).broker_orders).toHaveLength(1)
    })

    it('row 16: a command that is lost is made up for', async () => {
      const before = await atBroker()
      await commands.losing(() =>
        desk().api.call(z.unknown(), 'DELETE', '/v1/subscriptions', { instruments: ['BSE:SENSEX'] }),
      )
      await until('the change is applied', async () => (await atBroker()) === before - 1, APPLIED_MS)
    })

    it('row 17: a malformed command is counted and skipped', async () => {
      const before = await atBroker()
      const skipped = () => desk().metric('ticker_commands_total\\{kind="malformed"[^}]*\\}')
      for (const noise of ['{', '[]', '{"kind":"nudge","subject":7}']) await commands.say({ command: noise })
      await commands.say({ other: 'field' })
      await desk().subscribe(['BSE:SENSEX'])
      await until('the next command acts', async () => (await atBroker()) === before + 1, APPLIED_MS)
      expect(await skipped()).toBe(4)
    })
  })
}
