// Profit and loss by our own last tick, with the contract's multiplier. What is not known makes it null, never 0.
import type { BrokerHolding, BrokerPosition, HoldingPnl, PositionPnl } from '@ticker/shared/domain'

/** The last tick of an instrument that is live for the owner. */
export interface OwnPrice {
  last_price: number
  age_ms: number
}

/** `multiplier` is what is known of the contract, where the broker does not say. */
export function positionPnl(
  position: BrokerPosition,
  price: OwnPrice | undefined,
  multiplier: number | undefined,
): PositionPnl | null {
  const { quantity, buy_value, sell_value, average_price } = position
  const times = position.multiplier || multiplier
  if (times === undefined || buy_value === null || sell_value === null) return null
  const booked = sell_value - buy_value
  if (quantity === 0) {
    const pnl = rupees(booked)
    return { last_price: null, age_ms: null, multiplier: times, pnl, unrealised: 0, realised: pnl }
  }
  if (!price || average_price === null) return null
  const pnl = booked + quantity * price.last_price * times
  const unrealised = quantity * (price.last_price - average_price) * times
  return {
    ...price,
    multiplier: times,
    pnl: rupees(pnl),
    unrealised: rupees(unrealised),
    realised: rupees(pnl - unrealised),
  }
}

export function holdingPnl(holding: BrokerHolding, price: OwnPrice | undefined): HoldingPnl | null {
  if (!price) return null
  const held = holding.quantity + (holding.t1_quantity ?? 0)
  const isPriced = holding.average_price !== null && holding.discrepancy !== true
  return {
    ...price,
    value: rupees(held * price.last_price),
    pnl: isPriced ? rupees(held * (price.last_price - (holding.average_price ?? 0))) : null,
  }
}

export function rupees(value: number): number {
  return Math.round(value * 10_000) / 10_000
}
