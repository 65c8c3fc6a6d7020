import type { PlaceOrder } from '@ticker/shared/domain'
import { expect, it } from 'vitest'
import { orderForm } from './order-form.ts'

const LIMIT: PlaceOrder = {
  ...{ account_id: 'desk', exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: 10 },
  ...{
    product: 'CNC',
    order_type: 'LIMIT',
    price: 1500,
    validity: 'DAY',
    expires_in_s: 30,
    variety: 'regular',
  },
}
const COMMON = {
  ...{ exchange: 'NSE', tradingsymbol: 'INFY', transaction_type: 'BUY', quantity: '10', product: 'CNC' },
  ...{ order_type: 'LIMIT', price: '1500', validity: 'DAY', tag: 'tag1' },
}

it.each<[string, Partial<PlaceOrder>, Record<string, string>]>([
  ['regular', {}, {}],
  ['co', { variety: 'co', trigger_price: 1400 }, { trigger_price: '1400' }],
  [
    'iceberg',
    { variety: 'iceberg', iceberg_legs: 2, iceberg_quantity: 5 },
    { iceberg_legs: '2', iceberg_quantity: '5' },
  ],
  ['autoslice', { autoslice: true }, { autoslice: 'true' }],
  ['no autoslice', { autoslice: false }, {}],
  ['auction', { variety: 'auction', auction_number: '22' }, { auction_number: '22' }],
])('the form of %s has its own fields and nothing of the others', (_, change, fields) =>
  expect(Object.fromEntries(orderForm({ ...LIMIT, ...change }, 'tag1'))).toEqual({ ...COMMON, ...fields }),
)
