// Indian Standard Time, which has one offset and no summer time. The broker writes and reads it without a zone.

export const IST_OFFSET_MS = 5.5 * 3_600_000
export const DAY_MS = 86_400_000
const SESSION_END_HOUR = 6

/** `2026-11-23 09:15:00` */
export function istTimestamp(epochMs: number): string {
  return new Date(epochMs + IST_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ')
}

/** `2026-11-23` */
export function istDate(epochMs: number): string {
  return istTimestamp(epochMs).slice(0, 10)
}

/** Counts IST days since the epoch: cheap to compare on every tick. */
export function istDay(epochMs: number): number {
  return Math.floor((epochMs + IST_OFFSET_MS) / DAY_MS)
}

/** Epoch milliseconds of a naive IST text (`2025-10-09 09:18:31.673644`), fractions included; NaN when unreadable. */
export function parseIst(text: string): number {
  const [, seconds = '', fraction = ''] =
    /^(\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d)(\.\d+)?$/.exec(text.trim()) ?? []
  const wholeMs = Date.parse(`${seconds.replace(' ', 'T')}Z`)
  return wholeMs - IST_OFFSET_MS + (fraction === '' ? 0 : Number(fraction) * 1000)
}

/** Access tokens die at 06:00 IST of the next day (KITE.md 3). */
export function nextTokenExpiryMs(loginMs: number): number {
  return (istDay(loginMs) + 1) * DAY_MS + SESSION_END_HOUR * 3_600_000 - IST_OFFSET_MS
}
