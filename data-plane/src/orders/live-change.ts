/** What of `ticker.order_changes c` is not settled: an accepted cancel goes on until nothing of its order is open. */
export const LIVE_CHANGE = `(c.state in ('QUEUED', 'SENDING', 'UNKNOWN') or (c.kind = 'cancel' and c.state = 'ACCEPTED'))`
