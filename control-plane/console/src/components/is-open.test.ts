import { expect, test } from 'vitest'
import { isOpen } from './is-open.ts'

const broker = (status: string) => ({
  ...{ order_id: '1', status, status_message: null, filled_quantity: 0, average_price: 0 },
})

test.each([
  ['QUEUED', [], true],
  ['UNKNOWN', [], true],
  ['ACCEPTED', [], true],
  ['ACCEPTED', ['OPEN'], true],
  ['ACCEPTED', ['COMPLETE', 'TRIGGER PENDING'], true],
  ['ACCEPTED', ['COMPLETE', 'CANCELLED'], false],
  ['REJECTED', [], false],
  ['EXPIRED', [], false],
])('%s with %j at the broker: %s', (state, statuses, open) => {
  expect(isOpen({ state, broker_orders: statuses.map(broker) })).toBe(open)
})
