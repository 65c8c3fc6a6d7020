// RELIABILITY row 25, ten times as many histories as on every change, from another seed each day.

import { expect, it } from 'vitest'
import { brokenHistories } from '../../data-plane/src/testing/send-path/histories.ts'
import { holdsAlways } from './promise.ts'

const HISTORIES = 10_000

it('row 25: over 10,000 histories of faults', { timeout: 900_000 }, async () => {
  const first = Number(process.env.SEED ?? 1_000_000 + Math.floor(Date.now() / 86_400_000) * HISTORIES)
  const { broken, writes } = await brokenHistories(first, process.env.SEED ? 1 : HISTORIES)
  console.log(`seeds from ${first}: ${writes.toLocaleString('en-US')} writes to the broker`)
  expect(broken).toEqual([])
  holdsAlways(25, 'histories in which an order was sent twice, lost or told wrong', [broken.length], 0)
})
