// Why market data is not what its users count on, for people: each check says its reason, or undefined when fit.
import type { MarketDataRuntime } from './runtime.ts'

/** NSE and BSE: while they trade, a desk is logged in. */
const CASH_SEGMENTS = [1, 4]

export function marketDataReadiness(deps: {
  marketData: Pick<MarketDataRuntime, 'status' | 'silent'>
  isOpen(segment: number): boolean
  /** Accounts whose stored session these keys cannot open. */
  unopened(): readonly string[]
}): [name: string, unfit: () => string | undefined][] {
  const { marketData } = deps
  const all = (reasons: readonly string[]) => reasons.join('; ') || undefined
  const accounts = () => marketData.status().accounts

  return [
    [
      'sessions',
      () =>
        all([
          ...deps.unopened().map((id) => `${id}: the session cannot be opened with these CREDENTIAL_KEYS`),
          ...accounts()
            .filter(({ session }) => session === 'parked')
            .map(({ account_id }) => `${account_id}: the broker refuses its socket`),
        ]),
    ],
    [
      'sockets',
      () =>
        all(
          accounts()
            .filter(
              ({ session, connections }) =>
                session === 'active' && connections.every(({ state }) => state !== 'open'),
            )
            .map(({ account_id }) => `${account_id}: no broker socket is open`),
        ),
    ],
    [
      'subscriptions',
      () => {
        const { no_session = 0, pinned_account_no_session = 0 } = marketData.status().reconcile.unserved
        const waiting = no_session + pinned_account_no_session
        if (waiting === 0 || !CASH_SEGMENTS.some(deps.isOpen)) return undefined
        return `${waiting} subscribed instruments do not tick: no account that could stream them is logged in`
      },
    ],
    ['ticks', () => all(marketData.silent())],
  ]
}
