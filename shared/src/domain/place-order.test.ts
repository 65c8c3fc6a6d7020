import { describe, expect, it } from 'vitest'
import { placeOrder } from './place-order.ts'

const LIMIT = {
  ...{ account_id: 'desk', exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: 10 },
  ...{ product: 'CNC', order_type: 'LIMIT', price: 1_500 },
}
const ICEBERG = { variety: 'iceberg', iceberg_legs: 4, iceberg_quantity: 3 }
const issues = (change: Record<string, unknown>) => {
  const parsed = placeOrder.safeParse({ ...LIMIT, ...change })
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

describe('what each variety takes', () => {
  it.each([
    ['regular', {}],
    ['amo', { variety: 'amo', validity: 'IOC' }],
    ['co', { variety: 'co', trigger_price: 1_400 }],
    ['co at market', { variety: 'co', trigger_price: 1_400, order_type: 'MARKET', price: undefined }],
    ['amo to be cut', { variety: 'amo', autoslice: true }],
    ['iceberg, the last leg the rest', ICEBERG],
    ['iceberg of 50 legs', { variety: 'iceberg', iceberg_legs: 50, iceberg_quantity: 1, quantity: 50 }],
    ['iceberg with TTL', { ...ICEBERG, validity: 'TTL', validity_ttl: 5 }],
    ['auction', { variety: 'auction', auction_number: '22' }],
  ])('%s is taken', (_, change) => expect(issues(change)).toEqual([]))

  it.each([
    ['a bracket order', { variety: 'bo' }, 'variety: the broker takes no bracket orders any more'],
    ['an unknown variety', { variety: 'x' }, 'variety: one of regular, amo, co, iceberg, auction'],
    ['IOC on MCX', { exchange: 'MCX', validity: 'IOC' }, 'validity: the broker takes no IOC on MCX'],
    ['co without its trigger', { variety: 'co' }, 'trigger_price: required for variety co'],
    [
      'co of type SL',
      { variety: 'co', order_type: 'SL', trigger_price: 1 },
      'order_type: MARKET or LIMIT for variety co',
    ],
    [
      'co with TTL',
      { variety: 'co', trigger_price: 1, validity: 'TTL', validity_ttl: 1 },
      'validity: DAY or IOC for variety co',
    ],
    [
      'iceberg without legs',
      { ...ICEBERG, iceberg_legs: undefined },
      'iceberg_legs: required for variety iceberg',
    ],
    ['legs of a regular order', { iceberg_legs: 2 }, 'iceberg_legs: not allowed for variety regular'],
    [
      'legs that are not the quantity',
      { ...ICEBERG, iceberg_legs: 3 },
      'iceberg_quantity: 3 legs of 3 are not 10',
    ],
    [
      'iceberg at market',
      { ...ICEBERG, order_type: 'MARKET', price: undefined },
      'order_type: LIMIT for variety iceberg',
    ],
    [
      'iceberg disclosed',
      { ...ICEBERG, disclosed_quantity: 1 },
      'disclosed_quantity: not allowed for variety iceberg',
    ],
    [
      'co to be cut',
      { variety: 'co', trigger_price: 1, autoslice: true },
      'autoslice: not allowed for variety co',
    ],
    ['auction without a number', { variety: 'auction' }, 'auction_number: required for variety auction'],
    [
      'auction IOC',
      { variety: 'auction', auction_number: '22', validity: 'IOC' },
      'validity: DAY for variety auction',
    ],
    [
      'an auction number of a regular order',
      { auction_number: '22' },
      'auction_number: not allowed for variety regular',
    ],
  ])('%s is refused with the reason', (_, change, issue) => expect(issues(change)).toEqual([issue]))

  it('an iceberg of 51 legs is refused', () =>
    expect(issues({ variety: 'iceberg', iceberg_legs: 51, iceberg_quantity: 1, quantity: 51 })).toHaveLength(
      1,
    ))
})
