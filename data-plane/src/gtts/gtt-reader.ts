// The broker's list of GTTs: read when that is wanted, and now and then, for the broker tells of nothing here by itself. A GTT
// that has triggered is found within 10 s; its order is in the book and in the updates of the socket as any other.
import { describeFailure, isDeadSession, type KiteGtt } from '@ticker/shared/kite-http'
import type { AccountWritesDeps } from '../account-writes/deps.ts'
import type { OrderAccount } from '../orders/deps.ts'

const POLL_ACTIVE_MS = 10_000
const POLL_IDLE_MS = 60_000
const SPACING_MS = 1_000
const SPACING_MS_MAX = 15_000

export interface GttReader {
  want(): void
  /** How long until the list is to be read; 0: now. */
  dueMs(): number
  /** undefined: not now, or it cannot be read. Rows that cannot be read: `whole` is false. */
  read(account: OrderAccount): Promise<GttsRead | undefined>
}

export interface GttsRead {
  gtts: KiteGtt[]
  whole: boolean
  active: number
  taken: ReadonlySet<string>
}

type Deps = Pick<
  AccountWritesDeps,
  'accountId' | 'clock' | 'log' | 'gtts' | 'reads' | 'writeMetrics' | 'onSessionDead' | 'onTriggered'
>

export function createGttReader(deps: Deps): GttReader {
  const { accountId, clock, log, writeMetrics: metrics } = deps
  let wanted = true
  let active = 0
  let readMs = Number.NEGATIVE_INFINITY
  let failures = 0

  const spacingMs = () => (failures === 0 ? SPACING_MS : Math.min(SPACING_MS_MAX, SPACING_MS * 2 ** failures))

  return {
    want() {
      wanted = true
    },
    dueMs() {
      const everyMs = wanted ? spacingMs() : Math.max(spacingMs(), active > 0 ? POLL_ACTIVE_MS : POLL_IDLE_MS)
      return Math.max(0, readMs + everyMs - clock.monotonicMs())
    },
    async read(account) {
      const { session } = account
      if (!session) return undefined
      readMs = clock.monotonicMs()
      wanted = false
      const outcome = await deps.reads.gtts(account, session)
      metrics.reads.inc({ outcome: outcome.ok ? 'ok' : outcome.failure.kind })
      if (!outcome.ok) {
        wanted = true
        failures += 1
        const reason = describeFailure(outcome.failure)
        log.warn({ reason }, 'the list of GTTs could not be read')
        if (isDeadSession(outcome.failure)) await deps.onSessionDead(accountId, session.version, reason)
        return undefined
      }
      failures = 0
      const { gtts, unreadable } = outcome.data
      if (unreadable > 0) log.error({ rows: unreadable }, 'GTTs of unknown shape')
      const whole = unreadable === 0
      const merged = await deps.gtts.merge(accountId, gtts, whole)
      active = merged.active
      metrics.active.set({ account: accountId }, active)
      for (const { status, ...changed } of merged.changed) {
        metrics.changes.inc({ status })
        log.info({ ...changed, status }, 'a GTT has another status')
      }
      if (merged.changed.some(({ orderId }) => orderId !== null)) deps.onTriggered()
      return { gtts, whole, active, taken: merged.taken }
    },
  }
}
