// Reminds people of the morning's login: before the broker's tokens die at 06:00 IST, and after it for as long as an
// account is not logged in on a day on which its markets trade. When a session ends is known from its login on.
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Log } from '../operations/log.ts'
import type { OwnershipView } from './ownership.ts'

/** Before the end, the longest first. */
const BEFORE_MS = [30 * 60_000, 5 * 60_000]
const AGAIN_AFTER_MS = 30 * 60_000

export type Reminder =
  | { event_type: 'session_expiring'; account_id: string; expires_at_ms: number }
  | { event_type: 'login_needed'; account_id: string }

export interface SessionReminders {
  /** To be called with every view; says each reminder once. */
  look(accounts: OwnershipView['accounts']): void
}

/** What was said of an account last. */
type Said = { version: number; withinMs: number } | { neededAtMs: number }

export function createSessionReminders(deps: {
  clock: { nowMs(): number }
  log: Log
  registry: Registry
  accounts(): OwnershipView['accounts']
  /** Whether somebody of that owner would log in now: on a day of trading, before it is over for them. */
  isLoginWanted(owner: string): boolean
  /** Whether they trade on this day at all: the end of a session on another is of no interest. */
  isTradingDay(owner: string): boolean
  emit(reminder: Reminder): void
}): SessionReminders {
  const { clock, log } = deps
  const reminders = new Counter({
    name: 'ticker_login_reminders_total',
    help: 'Reminders of logins that were said, by kind',
    labelNames: ['kind'],
    registers: [deps.registry],
  })
  new Gauge({
    name: 'ticker_session_expires_timestamp_seconds',
    help: 'When the session of an active account ends, in Unix time; 0 while it is not logged in',
    labelNames: ['account'],
    registers: [deps.registry],
    collect() {
      this.reset()
      for (const { accountId, session, observed } of deps.accounts())
        if (observed.active) this.set({ account: accountId }, (session?.expiresAtMs ?? 0) / 1000)
    },
  })
  const said = new Map<string, Said>()

  function say(reminder: Reminder, words: string) {
    reminders.inc({ kind: reminder.event_type })
    log.warn({ account_id: reminder.account_id }, words)
    deps.emit(reminder)
  }

  function before(account_id: string, owner: string, session: { version: number; expiresAtMs: number }) {
    const leftMs = session.expiresAtMs - clock.nowMs()
    const withinMs = BEFORE_MS.findLast((ms) => leftMs <= ms)
    const last = said.get(account_id)
    const known = last && 'version' in last && last.version === session.version ? last : undefined
    if (withinMs === undefined) {
      if (!known) said.delete(account_id)
      return
    }
    if (leftMs <= 0 || (known && known.withinMs <= withinMs) || !deps.isTradingDay(owner)) return
    said.set(account_id, { version: session.version, withinMs })
    const reminder = {
      event_type: 'session_expiring',
      account_id,
      expires_at_ms: session.expiresAtMs,
    } as const
    say(reminder, `the session ends within ${withinMs / 60_000} min; log in again after that`)
  }

  function after(account_id: string, owner: string) {
    if (!deps.isLoginWanted(owner)) return
    const nowMs = clock.nowMs()
    const last = said.get(account_id)
    if (last && 'neededAtMs' in last && nowMs - last.neededAtMs < AGAIN_AFTER_MS) return
    said.set(account_id, { neededAtMs: nowMs })
    say({ event_type: 'login_needed', account_id }, 'not logged in: it neither streams nor trades')
  }

  return {
    look(accounts) {
      for (const { accountId, owner, session, observed } of accounts) {
        if (!observed.active) said.delete(accountId)
        else if (session) before(accountId, owner, session)
        // A session that cannot be opened here needs a key, not a login.
        else if (!observed.session_live) after(accountId, owner)
      }
      for (const id of said.keys()) if (!accounts.some(({ accountId }) => accountId === id)) said.delete(id)
    },
  }
}
