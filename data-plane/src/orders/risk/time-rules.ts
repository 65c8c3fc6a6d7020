// What may not be opened any more at this time of day: intraday positions, which the broker squares off, and contracts on
// their last day, where the account wants none of those. Leaving a position is not stopped by either.
import { brokerTime, type PlaceOrder } from '@ticker/shared/domain'

export interface TimeLimits {
  /** hh:mm IST. */
  mis_entries_until: string | null
  no_entries_on_expiry_day: boolean | null
}

/** Of the order's contract and exchange, today. */
export interface TimeFacts {
  nowMs: number
  /** IST. */
  today: string
  /** From when on the broker takes no new MIS positions; undefined: not today, or not known. */
  misCutoffMs: number | undefined
  expiresToday: boolean
}

/** Why it may not open a position now. */
export function timeRefusal(
  order: PlaceOrder,
  limits: readonly TimeLimits[],
  { nowMs, today, misCutoffMs, expiresToday }: TimeFacts,
): string | undefined {
  // What is placed for the next session opens nothing in this one.
  if (order.product === 'MIS' && order.variety !== 'amo') {
    if (misCutoffMs !== undefined && nowMs >= misCutoffMs)
      return `No new intraday (MIS) positions: the broker squares them off from ${hhmm(misCutoffMs)} IST on (its time is not confirmed by the exchange).`
    for (const { mis_entries_until: until } of limits)
      if (until !== null && nowMs >= Date.parse(`${today}T${until}:00+05:30`))
        return `No new intraday (MIS) positions from ${until} IST on: your limit.`
  }
  if (expiresToday && limits.some(({ no_entries_on_expiry_day }) => no_entries_on_expiry_day === true))
    return 'No new positions in contracts that expire today: your limit.'
  return undefined
}

const hhmm = (atMs: number) => brokerTime(atMs).slice(11, 16)
