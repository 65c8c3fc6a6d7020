// Instrument tokens: `exchange_token * 256 + segment` (KITE.md 1.6), and the price divisor of each segment.
// Unknown segments pass through with the common divisor; ask `isKnownSegment` before trusting their prices.

/** Segment code (low byte of the token) to exchange. 9 are the indices of every exchange. */
export const SEGMENTS: Readonly<Record<number, string>> = {
  1: 'NSE',
  2: 'NFO',
  3: 'CDS',
  4: 'BSE',
  5: 'BFO',
  6: 'BCD',
  7: 'MCX',
  8: 'MCXSX',
  9: 'INDICES',
  12: 'NCO',
}

export const INDEX_SEGMENT = 9
const CDS_SEGMENT = 3
const BCD_SEGMENT = 6

export function segmentOf(token: number): number {
  return token & 0xff
}

export function isKnownSegment(token: number): boolean {
  return SEGMENTS[token & 0xff] !== undefined
}

/** Wire prices are integers of 1/divisor rupee. */
export function divisorOf(token: number): number {
  const segment = token & 0xff
  if (segment === CDS_SEGMENT) return 10_000_000
  if (segment === BCD_SEGMENT) return 10_000
  return 100
}

export function isIndexToken(token: number): boolean {
  return (token & 0xff) === INDEX_SEGMENT
}

/** Multiplies instead of shifting: tokens above 2^31 exist and must stay positive. */
export function tokenOf(exchangeToken: number, segment: number): number {
  return exchangeToken * 256 + segment
}
