// Which instruments have stopped to come, though they are wanted: from the moment the last socket that brought them is
// gone until one brings them again, whichever that is and whoever's account. What came in between is missing, and that
// is said once, when it is over. An instrument that another open socket brings too, in no lower mode or in all that is
// wanted of it by now, has lost nothing.
import { type Mode, modeRank } from '@ticker/shared/kite-wire'
import type { Slot } from './slot.ts'
import type { Target } from './subscription-frames.ts'

export interface LostTicks {
  /** The socket of the slot brings these from now on, and nothing else. */
  brings(slot: Slot, next: Target): void
  /** These stopped on this slot some time ago, open as it was; they are on others now, or will be. */
  stoppedOn(slot: Slot, tokens: Target): void
  /** What nobody wants any more is not lost; also what keeps this bounded. */
  keepWanted(): void
  /** Says what is brought again since the last call. Not done at once: listeners ask the pool, which may be mid-change. */
  report(): void
}

export function createLostTicks(deps: {
  slots(): readonly Slot[]
  /** The highest that anybody wants of it; undefined: nobody wants it. */
  wantedMode(token: number): Mode | undefined
  gap(accountId: string, tokens: Target): void
}): LostTicks {
  /** In the mode they came in. */
  const lost = new Map<number, Mode>()
  const back = new Map<string, Map<number, Mode>>()

  function isBack(accountId: string, token: number, mode: Mode) {
    const tokens = back.get(accountId)
    if (tokens) tokens.set(token, mode)
    else back.set(accountId, new Map([[token, mode]]))
  }

  /** A mode that nobody wants any more was given up, not lost. */
  function stillWanted(token: number, mode: Mode): Mode {
    const wanted = deps.wantedMode(token)
    return wanted && modeRank(wanted) < modeRank(mode) ? wanted : mode
  }

  /** In a lower mode than is wanted it is served, and that is said; the rest is still missing. */
  function found({ accountId }: Slot, token: number, mode: Mode) {
    const was = lost.get(token)
    if (was === undefined) return
    isBack(accountId, token, mode)
    if (modeRank(mode) >= modeRank(stillWanted(token, was))) lost.delete(token)
  }

  function lose(token: number, mode: Mode) {
    const was = lost.get(token)
    if (was === undefined || modeRank(mode) > modeRank(was)) lost.set(token, mode)
  }

  /** Finds an open socket, other than the slot's, that brings it in no lower mode. */
  function elsewhere(slot: Slot) {
    const others = deps.slots().filter((other) => other !== slot && other.brings.size > 0)
    return (token: number, mode: Mode) =>
      others.find(({ brings }) => {
        const brought = brings.get(token)
        return brought !== undefined && modeRank(brought) >= modeRank(mode)
      })
  }

  return {
    brings(slot, next) {
      const before = slot.brings
      if (before === next) return
      slot.brings = next
      if (lost.size > 0)
        next.forEach((mode, token) => {
          if (before.get(token) !== mode) found(slot, token, mode)
        })
      const carrier = elsewhere(slot)
      before.forEach((mode, token) => {
        if (!next.has(token) && !carrier(token, stillWanted(token, mode))) lose(token, mode)
      })
    },
    stoppedOn(slot, tokens) {
      const carrier = elsewhere(slot)
      tokens.forEach((mode, token) => {
        const now = carrier(token, mode)
        if (now) isBack(now.accountId, token, mode)
        else lose(token, mode)
      })
    },
    keepWanted() {
      for (const token of lost.keys()) if (!deps.wantedMode(token)) lost.delete(token)
    },
    report() {
      const reports = [...back]
      back.clear()
      for (const [accountId, tokens] of reports) deps.gap(accountId, tokens)
    },
  }
}
