// The broker and its exchanges live in IST (UTC+05:30, no daylight saving); everything inside is epoch ms.

const IST_OFFSET_MS = 330 * 60_000
const DAY_MS = 86_400_000

/** The next 06:00 IST: the broker's tokens and our day tokens die then (KITE.md 3). */
export function nextTokenExpiryMs(epochMs: number): number {
  const istMs = epochMs + IST_OFFSET_MS
  const todaysSixMs = Math.floor(istMs / DAY_MS) * DAY_MS + 6 * 3_600_000
  return (istMs < todaysSixMs ? todaysSixMs : todaysSixMs + DAY_MS) - IST_OFFSET_MS
}

/** The day in India, YYYY-MM-DD: what expiries and trading days are dated by. */
export function istDay(epochMs: number): string {
  return new Date(epochMs + IST_OFFSET_MS).toISOString().slice(0, 10)
}

/** The broker's day, YYYY-MM-DD: until 06:00 IST its books and positions are still those of the day before. */
export function brokerDay(epochMs: number): string {
  return istDay(epochMs - 6 * 3_600_000)
}

/** When that IST day (YYYY-MM-DD) begins. */
export function istDayStartMs(day: string): number {
  return Date.parse(`${day}T00:00:00Z`) - IST_OFFSET_MS
}

/** The IST day `days` later. */
export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10)
}

/** How many days from one IST day to a later one, both counted. */
export function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(`${to}T00:00:00Z`) - Date.parse(`${from}T00:00:00Z`)) / DAY_MS) + 1
}

/** RFC 3339 with India's offset, whole seconds. */
export function istTime(epochMs: number): string {
  return `${new Date(epochMs + IST_OFFSET_MS).toISOString().slice(0, 19)}+05:30`
}

/** The broker's 'YYYY-MM-DD hh:mm:ss' (IST, no zone) to epoch ms; undefined when it is not one. */
export function parseBrokerTime(text: string | null | undefined): number | undefined {
  if (!text || !/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/.test(text)) return undefined
  const ms = Date.parse(`${text.replace(' ', 'T')}+05:30`)
  return Number.isNaN(ms) ? undefined : ms
}

/** The same the other way: as the broker writes a time, in India's and to the second. */
export function brokerTime(epochMs: number): string {
  return new Date(epochMs + IST_OFFSET_MS).toISOString().slice(0, 19).replace('T', ' ')
}
