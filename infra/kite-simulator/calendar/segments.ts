// The market segments whose hours the simulator knows, by the broker's exchange names, and the groups inside them
// that keep hours of their own: cash stocks with derivatives, and the indices made of them, have a closing auction.

export const MARKET_SEGMENTS = ['NSE', 'BSE', 'NFO', 'BFO', 'CDS', 'BCD', 'MCX', 'NCO'] as const
export type MarketSegment = (typeof MARKET_SEGMENTS)[number]

export const HOUR_GROUPS = [...MARKET_SEGMENTS, 'NSE-CAS', 'BSE-CAS'] as const
export type HourGroup = (typeof HOUR_GROUPS)[number]

export function segmentOfGroup(group: HourGroup): MarketSegment {
  return group === 'NSE-CAS' ? 'NSE' : group === 'BSE-CAS' ? 'BSE' : group
}
