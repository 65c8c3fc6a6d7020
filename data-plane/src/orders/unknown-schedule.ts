/** Delays between reads of the book for an order in doubt (RELIABILITY 5): 0.5 … 30 s, then every 30 s. */
const READ_DELAYS_MS = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000] as const
const LATER_MS = 30_000

export const FIRST_READ_MS = READ_DELAYS_MS[0]
/** An order in doubt for this long is an alert (fault row 23). */
export const ALERT_AFTER_MS = 30_000

/** After `reads` reads that did not find it, when to read next. */
export function nextReadDelayMs(reads: number): number {
  return READ_DELAYS_MS[reads + 1] ?? LATER_MS
}
