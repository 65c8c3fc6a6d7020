import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toOrderUpdate } from './order-update.ts'

const ORDER = {
  account_id: 'AB1234',
  order_id: '261124000000001',
  status: 'COMPLETE',
  order_timestamp: '2026-11-24 09:20:00',
  exchange_timestamp: null,
  meta: { iceberg: { leg: 1 } },
  instrument_token: 408065,
  quantity: 10,
  price: 1500.05,
  tag: 'mine',
  tags: ['mine'],
  guid: 'not in Go’s struct',
}

describe('order updates to Kite clients', () => {
  it('pass as they are when every field is of its type', () => {
    expect(toOrderUpdate(ORDER)).toEqual(ORDER)
  })

  it('lose only what a client cannot read', () => {
    const spoilt = {
      ...ORDER,
      meta: '{}',
      tags: ['mine', 7, null],
      order_timestamp: '16:00:36',
      exchange_timestamp: 1_795_000_000,
      price: '1500.05',
      modified: 'no',
    }
    expect(toOrderUpdate(spoilt)).toEqual({
      ...ORDER,
      meta: {},
      tags: ['mine'],
      order_timestamp: null,
      exchange_timestamp: null,
      price: null,
      modified: null,
    })
  })

  it('always have an object as meta and never throw', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...Object.keys(ORDER)), fc.jsonValue()), (order) => {
        const { meta } = toOrderUpdate(order)
        expect(typeof meta === 'object' && meta !== null && !Array.isArray(meta)).toBe(true)
      }),
    )
  })
})
