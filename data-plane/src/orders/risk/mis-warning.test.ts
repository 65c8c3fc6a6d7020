import type { Positions } from '@ticker/shared/domain'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { misCutoff } from '../../market-data/market-hours.ts'
import { silentLog } from '../../operations/log.ts'
import { fakeClock } from '../../testing/fake-clock.ts'
import { brokerSession, observedAccount, ownedAccount } from '../../testing/owned-accounts.ts'
import { createMisWarnings, type MisWarning } from './mis-warning.ts'

const held = (exchange: string, product: string, quantity: number) =>
  ({ exchange, tradingsymbol: 'X', product, quantity }) as Positions['net'][number]

function setup(net: Positions['net']) {
  const clock = fakeClock(Date.parse('2026-11-26T14:30:00+05:30'))
  const warnings: MisWarning[] = []
  const desk = { net, reads: 0 }
  const session = brokerSession(1)
  const tasks = createMisWarnings({
    ...{ clock, log: silentLog, registry: new Registry() },
    accounts: () => [
      { ...ownedAccount('desk1', { session }), observed: observedAccount('desk1') },
      { ...ownedAccount('away', { session: undefined }), observed: observedAccount('away') },
    ],
    misCutoffMs: misCutoff('calendar', createMarketCalendar(), clock),
    async positions() {
      desk.reads += 1
      return desk.net
    },
    warn: (warning) => warnings.push(warning),
  })
  const controller = new AbortController()
  void tasks.run(controller.signal, () => {})
  return { clock, desk, warnings, stop: () => controller.abort() }
}

it('warns once of each exchange with open intraday positions, from 15 minutes before its cut-off on, and asks nothing before', async () => {
  const { clock, desk, warnings, stop } = setup([
    held('NSE', 'MIS', 5),
    held('NFO', 'MIS', 0),
    held('NSE', 'CNC', 9),
    held('MCX', 'MIS', -1),
  ])
  await clock.advance(29 * 60_000)
  expect(desk.reads).toBe(0)
  await clock.advance(2 * 60_000)
  expect(warnings).toEqual([
    {
      ...{ account_id: 'desk1', exchange: 'NSE', cutoff: '2026-11-26T09:45:00.000Z' },
      positions: [{ tradingsymbol: 'X', quantity: 5 }],
    },
  ])
  desk.net = [held('NFO', 'MIS', 75)]
  await clock.advance(40 * 60_000)
  expect(warnings.map(({ exchange }) => exchange)).toEqual(['NSE', 'NFO'])
  desk.net = [held('MCX', 'MIS', -1)]
  await clock.advance(9 * 3_600_000)
  expect(warnings.map(({ exchange }) => exchange)).toEqual(['NSE', 'NFO', 'MCX'])
  stop()
})

it('goes on while positions cannot be read', async () => {
  const { clock, desk, warnings, stop } = setup([])
  Object.assign(desk, { net: undefined })
  await clock.advance(35 * 60_000)
  desk.net = [held('NSE', 'MIS', 5)]
  await clock.advance(2 * 60_000)
  expect(warnings).toHaveLength(1)
  stop()
})
