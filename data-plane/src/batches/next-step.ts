// What a batch does next: pure, from its rows alone. Asked again and again by whoever owns the account, it goes on
// after any crash; every step is one that may be taken twice.
import type { BatchSequence, BatchUnwind } from '@ticker/shared/domain'

/** RELIABILITY orders 12. */
export const UNKNOWN_MAX_S = 60

export type LegState =
  | 'absent'
  | 'queued'
  /** SENDING. */
  | 'sending'
  | 'unknown'
  /** ACCEPTED, and neither working nor finished at the broker as far as is known. */
  | 'received'
  | 'working'
  | 'filled'
  | 'failed'

export interface LegView {
  index: number
  side: 'BUY' | 'SELL'
  state: LegState
  /** Since it was stored. */
  ageS: number
  /** Since it was sent. */
  doubtS: number
  filled: number
  /** The promise of its order: not sent so long after it was wanted. */
  expiresInS: number
  /** Its cancel has ended, and not by the order's end. */
  cancelFailed: boolean
  reason: string | null
}

export interface BatchView {
  state: 'RUNNING' | 'STOPPING'
  sequence: BatchSequence
  unwind: BatchUnwind
  fillTimeoutS: number
  stopRequested: boolean
  /** Since it was stored. */
  ageS: number
  legs: LegView[]
  /** What reverses each leg, by the leg's index and side. */
  unwinds: LegView[]
}

export type Step =
  | { do: 'wait' }
  | { do: 'place'; legs: number[] }
  | { do: 'stop'; code: string; reason: string }
  /** Those that were not sent never are; what is open at the broker is cancelled. */
  | { do: 'drop_unsent'; legs: number[] }
  | { do: 'cancel'; legs: number[] }
  | { do: 'square_off'; legs: { index: number; quantity: number }[] }
  | { do: 'end'; state: 'DONE' | 'STOPPED'; unwindFailure?: string }

export function nextStep(batch: BatchView): Step {
  return batch.state === 'RUNNING' ? goOn(batch) : unwind(batch)
}

/** What reverses a leg and neither fills nor ends: the batch waits for it, and says so. */
export const restingUnwinds = ({ state, unwinds }: BatchView): LegView[] =>
  state === 'STOPPING' ? inState(unwinds, 'received', 'working').filter(isLongInDoubt) : []

const indexes = (legs: LegView[]) => legs.map(({ index }) => index)
const inState = (legs: LegView[], ...states: LegState[]) => legs.filter(({ state }) => states.includes(state))

function goOn({ legs, sequence, fillTimeoutS, stopRequested, ageS }: BatchView): Step {
  if (stopRequested) return { do: 'stop', code: 'stop_requested', reason: 'It was asked to stop.' }
  const [failed] = inState(legs, 'failed')
  if (failed)
    return { do: 'stop', code: 'leg_failed', reason: `Leg ${failed.index}: ${failed.reason ?? 'it failed'}` }
  const doubtful = inState(legs, 'unknown').find(isLongInDoubt)
  if (doubtful) return inDoubt(doubtful, 'nobody knows whether the broker has it')
  const stages = stagesOf(legs, sequence)
  /** Since the stage could begin at the latest. */
  let waitedS = ageS
  for (const stage of stages) {
    const absent = inState(stage, 'absent')
    // Nobody had the account, or nobody was logged in: what was wanted then is not sent hours later.
    const overdue = absent.find(({ expiresInS }) => waitedS > expiresInS)
    if (overdue)
      return {
        ...{ do: 'stop', code: 'leg_expired' },
        reason: `Leg ${overdue.index}: its turn was more than ${overdue.expiresInS} s ago.`,
      }
    if (absent.length > 0) return { do: 'place', legs: indexes(absent) }
    waitedS = Math.max(...stage.map((leg) => leg.ageS)) - fillTimeoutS
    const isLast = stage === stages.at(-1)
    const enough: LegState[] = isLast ? ['filled', 'working'] : ['filled']
    const late = stage.filter(({ state }) => !enough.includes(state))
    if (late.length === 0) continue
    const unseen = inState(late, 'received').find((leg) => isLast && isLongInDoubt(leg))
    if (unseen) return inDoubt(unseen, 'the broker does not show it working')
    const tooLate = late.find(({ ageS }) => !isLast && ageS > fillTimeoutS)
    if (!tooLate) return { do: 'wait' }
    return {
      ...{ do: 'stop', code: 'fill_timeout' },
      reason: `Leg ${tooLate.index}: not filled in ${fillTimeoutS} s.`,
    }
  }
  return { do: 'end', state: 'DONE' }
}

const isLongInDoubt = ({ doubtS }: LegView) => doubtS > UNKNOWN_MAX_S

const inDoubt = ({ index }: LegView, why: string): Step => ({
  ...{ do: 'stop', code: 'leg_unknown' },
  reason: `Leg ${index}: after ${UNKNOWN_MAX_S} s ${why}.`,
})

/** Each stage is filled before one of the next is sent. */
function stagesOf(legs: LegView[], sequence: BatchSequence): LegView[][] {
  if (sequence === 'all_at_once') return [legs]
  if (sequence === 'one_by_one') return legs.map((leg) => [leg])
  return bySide(legs, 'BUY', 'SELL')
}

const bySide = (legs: LegView[], ...sides: LegView['side'][]) =>
  sides.map((wanted) => legs.filter(({ side }) => side === wanted)).filter((stage) => stage.length > 0)

function unwind({ legs, unwinds, unwind: policy }: BatchView): Step {
  const unsent = inState(legs, 'queued')
  if (unsent.length > 0) return { do: 'drop_unsent', legs: indexes(unsent) }
  if (inState(legs, 'sending', 'unknown').length > 0) return { do: 'wait' }
  if (policy === 'none') return { do: 'end', state: 'STOPPED' }
  const open = inState(legs, 'received', 'working')
  const stuck = open.find(({ cancelFailed }) => cancelFailed)
  if (stuck)
    return {
      ...{ do: 'end', state: 'STOPPED' },
      unwindFailure: `Leg ${stuck.index} is open: the broker did not cancel it`,
    }
  if (open.length > 0) return { do: 'cancel', legs: indexes(open) }
  if (policy === 'cancel_open') return { do: 'end', state: 'STOPPED' }
  // Nothing of it is open any more: what was filled is final. What was sold is bought back before what hedges it is sold.
  for (const stage of bySide(
    legs.filter(({ filled }) => filled > 0),
    'SELL',
    'BUY',
  )) {
    const reversing = stage.map((leg) => ({ leg, by: unwinds[leg.index] }))
    const absent = reversing.filter(({ by }) => by === undefined || by.state === 'absent')
    if (absent.length > 0)
      return {
        do: 'square_off',
        legs: absent.map(({ leg }) => ({ index: leg.index, quantity: leg.filled })),
      }
    if (reversing.some(({ by }) => by?.state !== 'filled' && by?.state !== 'failed')) return { do: 'wait' }
    const failed = reversing.find(({ by }) => by?.state === 'failed')
    if (failed)
      return {
        ...{ do: 'end', state: 'STOPPED' },
        unwindFailure: `Leg ${failed.leg.index} is not squared off: ${failed.by?.reason ?? 'its order failed'}`,
      }
  }
  return { do: 'end', state: 'STOPPED' }
}
