import type { BrokerHolding, BrokerPosition } from '@ticker/shared/domain'
import { brokerHolding, brokerPosition } from '@ticker/shared/domain'
import { describe, expect, it } from 'vitest'
import { holdingPnl, positionPnl } from './own-pnl.ts'

const nulls = (shape: Record<string, unknown>) =>
  Object.fromEntries(Object.keys(shape).map((name) => [name, null]))
const named = { exchange: 'MCX', tradingsymbol: 'GOLD26DECFUT', product: 'NRML' }
const position = (change: Partial<BrokerPosition>): BrokerPosition =>
  brokerPosition.parse({ ...nulls(brokerPosition.shape), ...named, quantity: 0, ...change })
const mtf = nulls(brokerHolding.shape.mtf.shape)
const holding = (change: Partial<BrokerHolding>): BrokerHolding =>
  brokerHolding.parse({ ...nulls(brokerHolding.shape), ...named, mtf, quantity: 0, ...change })
const at = (last_price: number) => ({ last_price, age_ms: 40 })

describe('our own profit and loss of a position', () => {
  // Two lots of gold bought at 100,000, one sold at 101,000.
  const gold = position({
    ...{ quantity: 1, multiplier: 100, average_price: 100_000 },
    ...{ buy_value: 20_000_000, sell_value: 10_100_000 },
  })

  it('counts the contract’s multiplier, and says what is realised and what is not', () => {
    expect(positionPnl(gold, at(100_500), undefined)).toEqual({
      ...{ last_price: 100_500, age_ms: 40, multiplier: 100 },
      ...{ pnl: 150_000, unrealised: 50_000, realised: 100_000 },
    })
  })

  it('of a short one grows as the price falls', () => {
    const short = position({
      quantity: -75,
      multiplier: 1,
      average_price: 120,
      buy_value: 0,
      sell_value: 9_000,
    })
    expect(positionPnl(short, at(100), undefined)).toMatchObject({
      pnl: 1_500,
      unrealised: 1_500,
      realised: 0,
    })
  })

  it('takes the multiplier that is known of the contract where the broker says none, and is null without any', () => {
    const silent = { ...gold, multiplier: null }
    expect(positionPnl(silent, at(100_500), 100)).toMatchObject({ multiplier: 100, pnl: 150_000 })
    expect(positionPnl({ ...gold, multiplier: 0 }, at(100_500), 100)).toMatchObject({ pnl: 150_000 })
    expect(positionPnl(silent, at(100_500), undefined)).toBeNull()
  })

  it('is null without a price or a sum of the broker, never 0', () => {
    expect(positionPnl(gold, undefined, 100)).toBeNull()
    expect(positionPnl({ ...gold, buy_value: null }, at(1), 100)).toBeNull()
    expect(positionPnl({ ...gold, average_price: null }, at(1), 100)).toBeNull()
  })

  it('of a closed one needs no price', () => {
    const closed = { ...gold, quantity: 0, sell_value: 20_100_000 }
    expect(positionPnl(closed, undefined, undefined)).toEqual({
      ...{ last_price: null, age_ms: null, multiplier: 100, pnl: 100_000, unrealised: 0, realised: 100_000 },
    })
  })
})

describe('our own profit and loss of a holding', () => {
  // The broker’s own sample: 11 delivered and 1 to be, 56.35 → 75.85, pnl 234.
  const bhel = holding({ quantity: 11, t1_quantity: 1, average_price: 56.35 })

  it('counts what is still to be delivered, as the broker’s own does', () => {
    expect(holdingPnl(bhel, at(75.85))).toEqual({ last_price: 75.85, age_ms: 40, value: 910.2, pnl: 234 })
  })

  it('has a value but no profit where the broker does not know the average price', () => {
    expect(holdingPnl({ ...bhel, discrepancy: true }, at(75.85))).toMatchObject({ value: 910.2, pnl: null })
    expect(holdingPnl({ ...bhel, average_price: null }, at(75.85))).toMatchObject({ pnl: null })
    expect(holdingPnl(bhel, undefined)).toBeNull()
  })
})
