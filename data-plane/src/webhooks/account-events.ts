// What happens to an account, as far as its owner is told: its session, its order gate, the reminders of its login. They wait here
// while Postgres is away, bounded. What changed while no instance had the account is not told: it may be days old.
import type { Clock } from '../clock.ts'
import type { OwnershipView } from '../ownership/ownership.ts'
import type { Reminder } from '../ownership/session-reminders.ts'
import type { AccountEvent } from './event-store.ts'

const WAITING_MAX = 1_000

export interface AccountEvents {
  /** To be called with every view. */
  look(accounts: OwnershipView['accounts']): void
  remind(reminder: Reminder): void
  /** Of category `risk`. */
  risk(type: string, accountId: string, data: Record<string, unknown>): void
  /** The oldest that waits; to be taken away when it is stored. */
  next(): AccountEvent | undefined
  stored(event: AccountEvent): void
}

interface Known {
  hasSession: boolean
  gate: string | null
  tradingState: string
}

export function createAccountEvents(deps: {
  clock: Pick<Clock, 'nowMs'>
  onDropped(): void
  onEvent(): void
}): AccountEvents {
  let known = new Map<string, Known>()
  const waiting: AccountEvent[] = []

  function tell(
    category: AccountEvent['category'],
    type: string,
    accountId: string,
    data: Record<string, unknown>,
  ) {
    waiting.push({ category, type, accountId, data, atMs: deps.clock.nowMs() })
    if (waiting.length > WAITING_MAX) {
      waiting.shift()
      deps.onDropped()
    }
    deps.onEvent()
  }

  return {
    next: () => waiting[0],
    stored(event) {
      if (waiting[0] === event) waiting.shift()
    },
    risk: (type, accountId, data) => tell('risk', type, accountId, data),
    remind({ event_type, account_id, ...data }) {
      const expires =
        'expires_at_ms' in data ? { expires_at: new Date(data.expires_at_ms).toISOString() } : {}
      tell(
        'sessions',
        event_type === 'login_needed' ? 'session.login_needed' : 'session.expiring',
        account_id,
        expires,
      )
    },
    look(accounts) {
      const now = new Map<string, Known>()
      for (const { accountId, session, observed } of accounts) {
        const before = known.get(accountId)
        const { order_gate_reason: gate, trading_state: tradingState } = observed
        // One that lives and cannot be read just now has not ended.
        const isUnread = session === undefined && observed.session_live
        const hasSession = isUnread ? (before?.hasSession ?? true) : session !== undefined
        now.set(accountId, { hasSession, gate, tradingState })
        if (!before) continue
        if (hasSession !== before.hasSession) {
          const data = session ? { expires_at: new Date(session.expiresAtMs).toISOString() } : {}
          tell('sessions', hasSession ? 'session.active' : 'session.ended', accountId, data)
        }
        if (gate !== before.gate)
          tell('risk', gate === null ? 'risk.order_gate_opened' : 'risk.order_gate_closed', accountId, {
            reason: gate,
          })
        if (tradingState !== before.tradingState)
          tell('risk', 'risk.trading_state_changed', accountId, {
            state: tradingState,
            reason: observed.trading_state_reason,
          })
      }
      known = now
    },
  }
}
