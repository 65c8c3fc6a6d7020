// The batches of one owned account: looked at on every pass of its order path, each taken as far as it goes.
import type { AccountOrdersDeps, OrderAccount } from '../orders/deps.ts'
import type { Owner } from '../orders/owned-sql.ts'
import type { StoredBatch } from './batch-store.ts'
import { batchView } from './leg-view.ts'
import { nextStep, restingUnwinds, type Step, UNKNOWN_MAX_S } from './next-step.ts'

/** Time-outs are seen this late at most. */
const LOOK_EVERY_MS = 500
/** A batch takes this many steps on one pass at most, the rest on the next. */
const STEPS_MAX = 3

export interface DueBatches {
  /** `stored`: orders or cancels of theirs are due now; `delayMs` to the next look, undefined: nothing to look at. */
  advance(account: OrderAccount): Promise<{ stored: boolean; delayMs: number | undefined }>
}

type Deps = Pick<AccountOrdersDeps, 'accountId' | 'instanceId' | 'batches' | 'batchMetrics' | 'lease' | 'log'>

export function createDueBatches({
  accountId,
  instanceId,
  batches,
  batchMetrics: metrics,
  lease,
  log,
}: Deps): DueBatches {
  async function stop(batch: StoredBatch, { code, reason }: Step & { do: 'stop' }, owner: Owner) {
    const moved = await batches.move(batch, { state: 'STOPPING', code, reason }, owner)
    if (!moved) return false
    metrics.stopped.inc({ reason: code })
    const about = { batch_id: batch.id, code, reason, unwind: batch.unwind }
    if (code === 'leg_unknown') log.error(about, 'a batch stopped: one of its orders is in doubt')
    else log.warn(about, 'a batch stopped')
    return true
  }

  async function end(batch: StoredBatch, { state, unwindFailure }: Step & { do: 'end' }, owner: Owner) {
    const to = unwindFailure === undefined ? { state } : { state, unwindFailure }
    const moved = await batches.move(batch, to, owner)
    if (moved && unwindFailure !== undefined) {
      metrics.unwindFailures.inc()
      log.error({ batch_id: batch.id, reason: unwindFailure }, 'what a batch had filled is not all reversed')
    }
    return moved
  }

  async function sayResting(batch: StoredBatch, legs: number[], owner: Owner) {
    if (legs.length === 0 || !(await batches.sayResting(batch, legs, owner))) return
    metrics.unwindsResting.inc()
    log.error(
      { batch_id: batch.id, legs, after_s: UNKNOWN_MAX_S },
      'what reverses a batch rests at the broker',
    )
  }

  /** Whether that changed anything. */
  function take(batch: StoredBatch, step: Step, owner: Owner): Promise<boolean> | false {
    switch (step.do) {
      case 'wait':
        return false
      case 'stop':
        return stop(batch, step, owner)
      case 'end':
        return end(batch, step, owner)
      case 'drop_unsent':
        return batches.dropUnsent(batch, step.legs, owner)
      case 'place':
        return any(step.legs, (leg) => batches.place(batch, leg, owner))
      case 'cancel':
        return any(step.legs, (leg) => batches.cancel(batch, leg, owner))
      case 'square_off':
        return any(step.legs, ({ index, quantity }) => batches.squareOff(batch, index, quantity, owner))
    }
  }

  return {
    async advance({ epoch, observed }) {
      if (!observed.live_batches || !lease.mayAct()) return { stored: false, delayMs: undefined }
      const owner = { instanceId, epoch }
      let stored = false
      let live: StoredBatch[] = []
      for (let steps = 0; steps < STEPS_MAX; steps += 1) {
        live = await batches.live(accountId)
        let moved = false
        for (const batch of live) {
          const view = batchView(batch)
          const resting = restingUnwinds(view).map(({ index }) => index)
          await sayResting(batch, resting, owner)
          const step = nextStep(view)
          if (!(await take(batch, step, owner))) continue
          moved = true
          if (step.do !== 'stop' && step.do !== 'end') stored = true
        }
        if (!moved) break
      }
      metrics.live.set({ account: accountId }, live.length)
      return { stored, delayMs: live.length > 0 ? LOOK_EVERY_MS : undefined }
    },
  }
}

/** One after the other: in the order of the request. */
async function any<T>(items: T[], act: (item: T) => Promise<boolean>): Promise<boolean> {
  let acted = false
  for (const item of items) if (await act(item)) acted = true
  return acted
}
