// Make before break: an instrument that moves from one open socket to another is kept on the first until the second
// has brought it for a while, so that no tick is lost on the way and nobody needs to be told.
//
// Meanwhile both bring it, and a tick may be delivered twice to those who get every tick. That is right: the broker
// sends snapshots, the second copy says what the first one said, and it repeats the last one at each subscription
// anyway; a tick that never came could not be made up for. Where the socket has no room for both, the instrument is
// given up first and counts as lost (lost-ticks.ts).
import type { Mode } from '@ticker/shared/kite-wire'
import type { Clock } from '../clock.ts'
import { NOTHING, type Slot } from './slot.ts'
import type { Target } from './subscription-frames.ts'

/** How long both bring it. A frame to the broker takes some 100 ms; the two are not ordered. */
export const OVERLAP_MS = 1_000
/** A socket that has not opened by then is in trouble of its own. */
export const HANDOVER_MAX_MS = 15_000

export interface Handovers {
  /** Notes on each of these what it holds for others, once everything is placed and before any socket is told. */
  plan(slots: readonly Slot[], instrumentsMax: number): void
  /** Looks again by itself while anything is held for others. */
  watch(): void
  stop(): void
}

export function createHandovers(deps: {
  clock: Clock
  slots(): readonly Slot[]
  /** What is assigned to accounts that have no socket yet: their login is a moment away, or they would not be assigned it. */
  awaited(): readonly Target[]
  /** `leaving` of some became less. */
  released(): void
}): Handovers {
  const { clock } = deps
  let cancel: (() => void) | undefined

  function leavingOf(slot: Slot, all: readonly Slot[], instrumentsMax: number): Target {
    // What does not tick here is not worth keeping.
    if (slot.brings.size === 0 || slot.avoidUntilMs > clock.monotonicMs()) return NOTHING
    const others = all.filter((other) => other !== slot)
    const placed = [...others.map(({ target }) => target), ...deps.awaited()].filter(({ size }) => size > 0)
    // Never more than it held already: what the limit is now, it may have held more before.
    const room = Math.max(instrumentsMax, slot.held.size) - slot.target.size
    const leaving = new Map<number, Mode>()
    slot.brings.forEach((mode, token) => {
      if (leaving.size >= room || slot.target.has(token)) return
      if (!placed.some((target) => target.has(token))) return
      if (slot.leaving.has(token) || !others.some(({ brings }) => brings.has(token))) leaving.set(token, mode)
    })
    return leaving
  }

  function isBrought(token: number, others: readonly Slot[]): boolean {
    const sinceMs = clock.monotonicMs() - OVERLAP_MS
    return others.some(
      ({ brings, connection }) => brings.has(token) && connection.resubscribedMs() <= sinceMs,
    )
  }

  function check() {
    cancel = undefined
    const all = deps.slots()
    let released = false
    for (const slot of all) {
      if (slot.leaving.size === 0) continue
      const others = all.filter((other) => other !== slot)
      const heldMs = clock.monotonicMs() - slot.leavingSinceMs
      if (heldMs < OVERLAP_MS) continue
      const isOver = heldMs >= HANDOVER_MAX_MS
      const left = isOver ? [] : [...slot.leaving].filter(([token]) => !isBrought(token, others))
      if (left.length === slot.leaving.size) continue
      slot.leaving = left.length === 0 ? NOTHING : new Map(left)
      released = true
    }
    if (released) deps.released()
    watch()
  }

  function watch() {
    if (!cancel && deps.slots().some(({ leaving }) => leaving.size > 0))
      cancel = clock.after(OVERLAP_MS, check)
  }

  return {
    plan(slots, instrumentsMax) {
      const all = deps.slots()
      for (const slot of slots) {
        const leaving = leavingOf(slot, all, instrumentsMax)
        for (const token of leaving.keys())
          if (!slot.leaving.has(token)) slot.leavingSinceMs = clock.monotonicMs()
        slot.leaving = leaving
      }
    },
    watch,
    stop: () => cancel?.(),
  }
}
