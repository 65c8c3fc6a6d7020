import { expect, it } from 'vitest'
import { FREEZE_QUANTITIES, freezeQuantityOf } from './freeze-quantities.ts'

it.each([
  ['BANKNIFTY', '2026-03-31', 600, false],
  ['BANKNIFTY', '2026-04-01', 900, false],
  ['FINNIFTY', '2026-03-01', 1800, false],
  ['FINNIFTY', '2026-03-02', 1200, false],
  ['NIFTY', '2026-08-31', 1800, false],
  // No circular of later months is known; none at all of the BSE.
  ['NIFTY', '2026-09-01', 1800, true],
  ['NIFTYFPI', '2026-08-12', 8500, false],
  ['SENSEX', '2026-01-05', 1000, true],
])('%s on %s: %i, unconfirmed %s', (name, date, quantity, unconfirmed) => {
  expect(freezeQuantityOf(name, date)).toMatchObject({ quantity, unconfirmed })
})

it('knows nothing of stocks and of days before its rows; its rows are in order, each quantity a number', () => {
  expect(freezeQuantityOf('INFY', '2026-08-12')).toBeUndefined()
  expect(freezeQuantityOf('NIFTYFPI', '2026-08-11')).toBeUndefined()
  expect(freezeQuantityOf('NIFTY', '2025-11-28')).toBeUndefined()
  const dates = FREEZE_QUANTITIES.map(({ from }) => from)
  expect(dates).toEqual([...dates].sort())
  for (const { quantities } of FREEZE_QUANTITIES)
    for (const quantity of Object.values(quantities)) expect(quantity).toBeGreaterThan(0)
})
