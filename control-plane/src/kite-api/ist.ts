// Times as the broker writes them: in India, without a zone.
const IST_OFFSET_MS = 330 * 60_000

/** `yyyy-mm-dd hh:mm:ss`. */
export function istTimestamp(epochMs: number): string {
  return new Date(epochMs + IST_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ')
}

/** Of an RFC 3339 time; null stays null. */
export const istOf = (time: string | null) => (time === null ? null : istTimestamp(Date.parse(time)))
