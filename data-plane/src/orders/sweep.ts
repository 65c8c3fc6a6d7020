// The kill switch's sweep of one account: cancels what the broker's book shows open, whoever placed it, and reads again,
// until the book is empty and nothing is on its way or in doubt (RELIABILITY orders 11). It needs no database and no
// lease: a cancel too many harms nobody.

import { TERMINAL_RANK } from '@ticker/shared/domain'
import { describeFailure, type KiteOrder } from '@ticker/shared/kite-http'
import { credentialsOf } from '../ownership/owned-account.ts'
import { cancelRequest } from './change-request.ts'
import { changeVerdictOf } from './change-verdict.ts'
import type { AccountOrdersDeps, OrderAccount } from './deps.ts'
import { type Governor, WRITES_PER_SECOND_MAX } from './governor.ts'
import { isCancellable, statusRank } from './order-status.ts'
import type { Sending } from './sending.ts'

const READ_EVERY_MS = 1_000
/** While only doubt is left, or nobody is logged in. */
const WAIT_EVERY_MS = 3_000
const IN_FLIGHT_MAX = 10

export interface SweepProgress {
  account_id: string
  state:
    | ('cancelling' | 'deleting_gtts' | 'waiting_for_doubt' | 'done')
    | ('no_session' | 'book_unreadable' | 'gtts_unreadable')
  /** Still open when the book was last read. */
  open: number
  /** Active GTTs when their list was last read; null: it could not be. */
  gtts: number | null
  cancels_sent: number
  cancels_refused: number
  in_doubt: number
  /** At the broker's rate; null: not known. */
  seconds_left: number | null
}

export interface Sweep {
  /** Begins it, or lets it go on. `stop`: the halt was released. */
  start(account: OrderAccount): void
  stop(): void
  progress(): SweepProgress | undefined
}

export function createSweep(
  deps: AccountOrdersDeps,
  governor: () => Governor,
  sending: Sending,
  onDone: () => void,
): Sweep {
  const { accountId, clock, log, metrics } = deps
  let running: AbortController | undefined
  let progress: SweepProgress | undefined

  function note(change: Partial<SweepProgress>) {
    if (!progress) return
    progress = { ...progress, ...change }
    metrics.sweepOpen.set({ account: accountId }, progress.open)
  }

  /** False: it was not sent, and is to be tried again. Connected first: a token that waits for a connection is time lost. */
  async function cancel(order: KiteOrder, account: OrderAccount, signal: AbortSignal): Promise<boolean> {
    const { session } = account
    const opened = session && (await deps.connect(session.root))
    if (!session || !opened?.ok) {
      const reason = opened?.ok === false ? opened.reason : 'no session'
      log.warn({ order_id: order.order_id, reason }, 'cancel not sent')
      await clock.sleep(READ_EVERY_MS, signal)
      return false
    }
    let permission = governor().takeForChange('cancel')
    while (!permission.granted) {
      await clock.sleep(permission.waitMs, signal)
      if (signal.aborted) {
        opened.line.discard()
        return true
      }
      permission = governor().takeForChange('cancel')
    }
    const { token } = permission
    const sent = await opened.line.send(cancelRequest(order), credentialsOf(account, session), () =>
      token.mayWrite(),
    )
    if (sent.kind === 'not_sent') {
      token.giveBack()
      return false
    }
    const verdict = changeVerdictOf(sent)
    metrics.sweepCancels.inc({ verdict: verdict.state })
    const refused = verdict.state === 'ACCEPTED' || verdict.state === 'UNKNOWN' ? 0 : 1
    note({
      cancels_sent: (progress?.cancels_sent ?? 0) + 1,
      cancels_refused: (progress?.cancels_refused ?? 0) + refused,
    })
    return true
  }

  async function cancelAll(orders: readonly KiteOrder[], account: OrderAccount, signal: AbortSignal) {
    const left = [...orders]
    const work = async () => {
      for (let order = left.shift(); order && !signal.aborted; order = left.shift()) {
        note({ open: left.length + 1, seconds_left: Math.ceil((left.length + 1) / WRITES_PER_SECOND_MAX) })
        // Once more in this round; then the book says what is left.
        if (!(await cancel(order, account, signal))) await cancel(order, account, signal)
      }
    }
    await Promise.all(Array.from({ length: Math.min(IN_FLIGHT_MAX, orders.length) }, work))
  }

  /** Places on their way here, and those that the database knows to be in doubt; it may be away. */
  async function inDoubt(): Promise<number | undefined> {
    try {
      return sending.count('place') + (await deps.intents.unknownSummary(accountId)).count
    } catch {
      return undefined
    }
  }

  /** Orders and GTTs at once: what triggers meanwhile is an open order of the next look. */
  async function pass(known: OrderAccount, signal: AbortSignal): Promise<number | undefined> {
    const [waitMs, gtts] = await Promise.all([
      passOfOrders(known, signal),
      deps.sweepGtts(deps.account() ?? known, signal).catch(() => undefined),
    ])
    note({ gtts: gtts ?? null })
    if (waitMs !== undefined || gtts === 0) return waitMs
    note({ state: gtts === undefined ? 'gtts_unreadable' : 'deleting_gtts' })
    return READ_EVERY_MS
  }

  /** Returns how long to wait before the next look; undefined: it is done. */
  async function passOfOrders(known: OrderAccount, signal: AbortSignal): Promise<number | undefined> {
    const account = deps.account() ?? known
    if (!account.session) {
      note({ state: 'no_session', seconds_left: null })
      return WAIT_EVERY_MS
    }
    // Before the read: what was on its way then may not be in the book yet.
    const doubt = await inDoubt()
    const outcome = await deps.reads.book(account, account.session)
    if (!outcome.ok) {
      log.error({ reason: describeFailure(outcome.failure) }, 'kill switch: the book cannot be read')
      note({ state: 'book_unreadable', seconds_left: null })
      return READ_EVERY_MS
    }
    const open = outcome.data.orders.filter(({ status }) => statusRank(status) < TERMINAL_RANK)
    const unreadable = outcome.data.misshapen.length + outcome.data.unreadable
    note({ open: open.length, in_doubt: doubt ?? 0 })
    const cancellable = open.filter(({ status }) => isCancellable(status))
    if (cancellable.length > 0) {
      note({ state: 'cancelling' })
      await cancelAll(cancellable, account, signal)
      return READ_EVERY_MS
    }
    if (open.length > 0) return READ_EVERY_MS
    if (doubt === 0 && unreadable === 0) return undefined
    note({ state: 'waiting_for_doubt', seconds_left: null })
    return WAIT_EVERY_MS
  }

  async function run(account: OrderAccount, signal: AbortSignal) {
    while (!signal.aborted) {
      const waitMs = await pass(account, signal).catch((error: unknown) => {
        log.error({ error }, 'kill switch: the sweep failed, and goes on')
        return READ_EVERY_MS
      })
      if (waitMs === undefined) {
        note({ state: 'done', open: 0, in_doubt: 0, seconds_left: 0 })
        log.warn({ ...progress }, 'kill switch: nothing is open any more')
        onDone()
        return
      }
      await clock.sleep(waitMs, signal)
    }
  }

  return {
    start(account) {
      if (running) return
      const controller = new AbortController()
      running = controller
      progress = {
        ...{
          account_id: accountId,
          state: 'cancelling',
          open: 0,
          gtts: null,
          cancels_sent: 0,
          cancels_refused: 0,
        },
        ...{ in_doubt: 0, seconds_left: null },
      }
      log.error({}, 'kill switch: cancelling everything that is open')
      void run(account, controller.signal).finally(() => {
        if (running === controller) running = undefined
      })
    },
    stop() {
      running?.abort()
      running = undefined
      progress = undefined
      metrics.sweepOpen.remove({ account: accountId })
    },
    progress: () => progress,
  }
}
