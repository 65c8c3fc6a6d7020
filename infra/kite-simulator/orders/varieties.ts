// What each variety needs beside a regular order, as far as it is documented (KITE.md 5.1); texts are invented.
import { inputRefused, type Refusal } from '../refusal.ts'
import type { PlaceRequest } from './request.ts'

const SIMULATED: ReadonlySet<string> = new Set(['regular', 'amo', 'co', 'iceberg', 'auction'])
const ICEBERG_LEGS = { min: 2, max: 50 }

export function varietyRefusal(variety: string): Refusal | null {
  return SIMULATED.has(variety) ? null : inputRefused(`Invalid \`variety\`: ${variety}`)
}

/** Why the broker would not take an order of this variety; null when it would. */
export function parametersRefusal(variety: string, request: PlaceRequest): Refusal | null {
  switch (variety) {
    case 'co':
      if (request.order_type !== 'MARKET' && request.order_type !== 'LIMIT')
        return inputRefused('Invalid `order_type` for a cover order.')
      return request.trigger_price > 0 ? null : inputRefused('Invalid `trigger_price`.')
    case 'iceberg':
      return icebergRefusal(request)
    case 'auction':
      if (request.order_type !== 'LIMIT' || request.validity !== 'DAY')
        return inputRefused('Auction orders should be of type LIMIT and validity DAY.')
      return request.auction_number === '' ? inputRefused('Missing or empty field `auction_number`') : null
    default:
      return null
  }
}

function icebergRefusal(request: PlaceRequest): Refusal | null {
  const { order_type: orderType, quantity, iceberg_legs: legs, iceberg_quantity: ofLeg } = request
  if (orderType !== 'LIMIT') return inputRefused('Iceberg orders should be of type LIMIT.')
  if (legs < ICEBERG_LEGS.min || legs > ICEBERG_LEGS.max)
    return inputRefused(`Iceberg legs should be between ${ICEBERG_LEGS.min} and ${ICEBERG_LEGS.max}.`)
  if (ofLeg < 1 || Math.ceil(quantity / ofLeg) !== legs) return inputRefused('Invalid `iceberg_quantity`.')
  return null
}
