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

/** What came of a cancel, as far as its answer says. */
export function cancelWords({ state, reason }: { state: string; reason: string | null }): string {
  const words: Record<string, string> = {
    DONE: 'nothing of the order is open any more',
    REJECTED: 'refused by the broker; the order is open',
    RELEASED: 'given up',
  }
  const what = words[state] ?? 'goes on until nothing of the order is open'
  return reason === null ? what : `${what} (${reason})`
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

/** 0.1312 as 13.12 %. */
export function percent(fraction: number | undefined | null): string {
  return fraction === undefined || fraction === null ? '—' : `${number(fraction * 100)} %`
}

/** Why an option, or a whole chain, has no volatility. */
export function noVolatilityWords(reason: string | null): string {
  const words: Record<string, string> = {
    not_streamed: 'not streamed',
    waiting: 'no tick yet',
    stale: 'its socket is silent',
    no_price: 'no price',
    no_spot: 'the underlying has no price',
    spot_stale: 'the price of the underlying is old',
    expired: 'expired',
    expiry_unknown: 'expiry unknown',
    pre_open: 'the market opens in a moment',
    price_below_intrinsic: 'priced below intrinsic',
    price_above_bound: 'priced above its bound',
  }
  return reason === null ? '' : (words[reason] ?? reason)
}
