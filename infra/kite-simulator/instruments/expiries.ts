// Expiry dates as the exchanges set them: NSE derivatives on Tuesdays, BSE on Thursdays, monthly ones on the last
// such day of the month. Holidays are left out: a generated market has none.

const DAY_MS = 86_400_000
export const TUESDAY = 2
export const THURSDAY = 4

/** The next `count` dates that fall on `weekday`, today included. */
export function weeklyExpiries(today: string, weekday: number, count: number): string[] {
  const first = Date.parse(today)
  const wait = (weekday - new Date(first).getUTCDay() + 7) % 7
  return Array.from({ length: count }, (_, week) => isoDate(first + (wait + week * 7) * DAY_MS))
}

/** The next `count` months' last `weekday`, today included. */
export function monthlyExpiries(today: string, weekday: number, count: number): string[] {
  const start = new Date(Date.parse(today))
  const dates: string[] = []
  for (let month = 0; dates.length < count; month++) {
    const last = Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + month + 1, 0)
    const back = (new Date(last).getUTCDay() - weekday + 7) % 7
    const date = isoDate(last - back * DAY_MS)
    if (date >= today) dates.push(date)
  }
  return dates
}

/** `26NOV` for monthly contracts. */
export function monthCode(expiry: string): string {
  return expiry.slice(2, 4) + MONTHS[Number(expiry.slice(5, 7)) - 1]
}

/** `26N24`: year, month letter (1-9, O, N, D), day, for weekly contracts. */
export function weekCode(expiry: string): string {
  return expiry.slice(2, 4) + '123456789OND'[Number(expiry.slice(5, 7)) - 1] + expiry.slice(8, 10)
}

const MONTHS = ['JAN', 'FEB', 'MAR', 'APR', 'MAY', 'JUN', 'JUL', 'AUG', 'SEP', 'OCT', 'NOV', 'DEC']

function isoDate(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10)
}
