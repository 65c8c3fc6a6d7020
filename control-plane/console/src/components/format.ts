export function timeOf(iso: string | null): string {
  return iso === null
    ? '—'
    : new Date(iso).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
}

export function number(value: number | undefined | null): string {
  return value === undefined || value === null
    ? '—'
    : value.toLocaleString('en-IN', { maximumFractionDigits: 2 })
}

/** What an order's state means to the person who placed it. */
export function stateWords(state: string): string {
  const words: Record<string, string> = {
    QUEUED: 'stored, not sent yet',
    SENDING: 'being sent',
    ACCEPTED: 'received by the broker',
    REJECTED: 'refused by the broker',
    UNKNOWN: 'in doubt — being resolved by reading the order book; not sent again',
    NEEDS_AUTHORISATION: 'needs your authorisation at the broker',
    EXPIRED: 'not sent before its deadline',
    CANCELLED: 'cancelled before it was sent',
    REFUSED: 'refused here, not sent',
    RELEASED: 'released by a person',
  }
  return words[state] ?? state
}

/** Whether a strike ladder follows its spot, or why it stands still. */
export function stillWords(reason: string | null): string {
  const words: Record<string, string> = {
    not_served: 'nobody streams its underlying: log an account in',
    no_options: 'no live option is listed',
    no_underlying: 'nothing that gives its price is listed',
    no_spot: 'waits for the first price',
    spot_stale: 'stands still: the last price is old',
  }
  return reason === null ? 'follows' : (words[reason] ?? reason)
}
