// The order path of one owned account. Level-triggered: a pass looks at what is due and acts; wake() only makes the
// next pass sooner. Any failure of the database ends run(); the supervisor starts it again, and it begins with the
// book (RELIABILITY 6): nothing is sent before what the broker already has was read and adopted.

import type { OrderBook } from '@ticker/shared/kite-http'
import { createDueBatches } from '../batches/due-batches.ts'
import { createDueExits } from '../exits/due-exits.ts'
import { budgetOf, type OrderBudget } from './budget.ts'
import { createDueChanges } from './change-due.ts'
import type { AccountOrdersDeps, OrderAccount } from './deps.ts'
import { createGovernor, type Governor } from './governor.ts'
import { createBookReader } from './order-book.ts'
import { createDuePlaces } from './place-due.ts'
import { createSending } from './sending.ts'
import { createSweep, type SweepProgress } from './sweep.ts'

const IDLE_MS = 2_000

export interface AccountOrders {
  /** `isWell` is called after each whole pass: the database answers, what was due is done. */
  run(signal: AbortSignal, isWell?: () => void): Promise<void>
  wake(): void
  /** An order update from the account's socket, as it came. */
  orderUpdate(raw: unknown): void
  /** The socket was down: what it would have said is lost, the book must be read. */
  updatesLost(): void
  /** The database was away: read the book before anything is sent, whatever the rows say. */
  databaseLost(): void
  /** A book that was read to compare it with our record. */
  mergeBook(book: OrderBook): Promise<void>
  drained(deadlineMs: number): Promise<void>
  /** The kill switch: cancels what is open, whoever placed it, until nothing is. */
  sweep(account: OrderAccount): void
  sweepProgress(): SweepProgress | undefined
  /** It runs without the path, and past its end. */
  stopSweep(): void
  /** Why orders of this account cannot be sent or followed; undefined while they can. */
  unfit(): string | undefined
  budget(): OrderBudget
}

export function createAccountOrders(deps: AccountOrdersDeps): AccountOrders {
  const { accountId, clock, intents, changes } = deps
  let governor: Governor = createGovernor(clock)
  let governorEpoch: number | undefined
  let recoveredEpoch: number | undefined
  /** Moves when a recovery is asked for: a pass that began before must not count as one. */
  let recoveriesWanted = 0
  let wakeUp = () => {}
  const book = createBookReader(deps, (counts) => governor.startFrom(counts))
  const isRecovered = ({ epoch }: OrderAccount) => recoveredEpoch === epoch
  const sending = createSending(deps, isRecovered, (accepted) => {
    // Received is not working: the book says what became of it, soon, whether or not an update arrives.
    if (accepted) book.want()
    wake()
  })
  const duePlaces = createDuePlaces(deps, book, sending, () => governor)
  const dueChanges = createDueChanges(deps, changes, book, sending, () => governor)
  const dueBatches = createDueBatches(deps)
  const dueExits = createDueExits(deps)
  /** When the sweep that runs, or ran last, was asked for in Postgres. */
  let sweptFor: string | null = null
  const sweep = createSweep(
    deps,
    () => governor,
    sending,
    () => {
      book.want()
      wake()
    },
  )

  /** What Postgres says of the kill switch; a sweep that was begun here may not have got there yet. */
  async function lookAtKillSwitch(account: OrderAccount) {
    const { observed } = account
    const requestedAt = observed.sweep_requested_at
    const progress = sweep.progress()
    if (observed.trading_state !== 'HALTED' && !deps.isHalted()) {
      if (progress) sweep.stop()
      sweptFor = null
      return
    }
    if (requestedAt === null) return
    if (progress?.state === 'done' && sweptFor === requestedAt) return deps.onSwept(accountId, requestedAt)
    if (sweptFor === requestedAt) return
    // The one that began by the ops port is the same.
    sweptFor = requestedAt
    if (!progress || progress.state === 'done') sweep.start(account)
  }

  function wake() {
    wakeUp()
  }

  async function pass(account: OrderAccount): Promise<number> {
    const wantedBefore = recoveriesWanted
    if (recoveredEpoch !== account.epoch) {
      await intents.orphansToUnknown(accountId, account.epoch)
      await changes.orphansToUnknown(accountId, account.epoch)
      // A restart within one epoch keeps its governor: what it let through may still be on its way.
      if (governorEpoch !== account.epoch) governor = createGovernor(clock)
      governorEpoch = account.epoch
      governor.startFrom(await intents.counts(accountId))
      book.want()
    }
    await lookAtKillSwitch(account)
    const unknownDelayMs = await duePlaces.watchUnknown()
    if (account.observed.due_orders) await duePlaces.freeUnsent(account.epoch)
    if (account.observed.due_changes) await dueChanges.freeUnsent(account.epoch)
    await duePlaces.expireOverdue()
    if (account.observed.due_changes)
      await changes.expireOverdue(accountId, (id) => sending.writtenAs(id) !== undefined)
    await book.mergeUpdates()
    if (!account.session) {
      // Nothing can be sent; that it is late is said all the same.
      await dueExits.advance(account)
      return IDLE_MS
    }
    // Asked for meanwhile: begin again, and send nothing on this pass.
    if (recoveriesWanted !== wantedBefore) return 0
    if (recoveredEpoch !== account.epoch) {
      if (!(await book.read(account))) return book.spacingMs()
      if (recoveriesWanted !== wantedBefore) return 0
      recoveredEpoch = account.epoch
    }
    // What a batch or an exit has stored is due on this pass, though no look at the database has shown it yet.
    const batch = await dueBatches.advance(account)
    const exit = await dueExits.advance(account)
    const due = batch.stored || exit.stored ? withDue(account) : account
    // What is due goes out first, cancels before all; nothing that only reads may keep it waiting.
    const changeDelayMs = due.observed.due_changes ? await dueChanges.run(due) : undefined
    const placeDelayMs = await duePlaces.send(due)
    const hintsDelayMs = await book.readHints(account)
    await duePlaces.resolveUnknown(account)
    book.pollWhileOpen()
    if (book.isWanted()) await book.read(account)
    const pollDelayMs = book.pollWhileOpen()
    const bookDelayMs = book.isWanted() ? book.spacingMs() : undefined
    const delays = [
      ...[unknownDelayMs, batch.delayMs, exit.delayMs, changeDelayMs, placeDelayMs, hintsDelayMs],
      ...[pollDelayMs, bookDelayMs],
    ]
    return Math.min(IDLE_MS, ...delays.filter((delayMs) => delayMs !== undefined))
  }

  return {
    wake,
    async run(signal, isWell) {
      // A restart after a failure looks at everything again before it sends.
      recoveredEpoch = undefined
      book.want()
      while (!signal.aborted) {
        const woken = new AbortController()
        wakeUp = () => woken.abort()
        const account = deps.account()
        const delayMs = account ? await pass(account) : IDLE_MS
        isWell?.()
        await clock.sleep(delayMs, AbortSignal.any([signal, woken.signal]))
      }
    },
    orderUpdate(raw) {
      book.update(raw)
      wake()
    },
    updatesLost() {
      book.want()
      wake()
    },
    databaseLost() {
      recoveredEpoch = undefined
      recoveriesWanted += 1
      wake()
    },
    async mergeBook(read) {
      await book.mergeBook(read)
      wake()
    },
    drained: (deadlineMs) => sending.drained(deadlineMs),
    sweep: (account) => sweep.start(account),
    sweepProgress: () => sweep.progress(),
    stopSweep: () => sweep.stop(),
    budget: () => budgetOf(accountId, governor),
    unfit() {
      const account = deps.account()
      if (!account?.session) return undefined
      const gate = account.observed.order_gate_reason
      return gate === null ? book.unfit() : `its order gate is closed: ${gate}`
    },
  }
}

const withDue = (account: OrderAccount): OrderAccount => ({
  ...account,
  observed: { ...account.observed, due_orders: true, due_changes: true },
})
