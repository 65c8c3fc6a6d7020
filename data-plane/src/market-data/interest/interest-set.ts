// Who holds what: owner → instrument → how many clients in which mode. What the last client gave up, and a mode that
// nobody holds any more, stays for RELEASE_AFTER_MS: clients that reconnect or change modes cost the broker nothing.
import { MODES, type Mode, modeRank } from '@ticker/shared/kite-wire'
import type { Clock } from '../../clock.ts'
import type { Held } from './held.ts'

export const RELEASE_AFTER_MS = 30_000

export interface InterestSet {
  /** One more client holds it; undefined: full, nothing changed. */
  hold(owner: string, token: number, mode: Mode, preferred: string | null): Held | undefined
  change(held: Held, from: Mode, to: Mode): void
  release(held: Held, mode: Mode): void
  /** Lets go of what nobody has held for long enough. */
  lapse(): void
  find(owner: string, token: number): Held | undefined
  owners(): Iterable<[owner: string, held: ReadonlyMap<number, Held>]>
  size(): number
  room(): number
}

export function createInterestSet(deps: {
  clock: Pick<Clock, 'monotonicMs'>
  /** Instruments, each owner counted. */
  max: number
  /** It is new, its mode is another, or it was let go. */
  moved(held: Held): void
}): InterestSet {
  const { clock, max, moved } = deps
  const owners = new Map<string, Map<number, Held>>()
  /** By rank of the mode that nobody holds any more: until when it stays. In order of that time, since all stay equally long. */
  const lapsing = [0, ...MODES].map(() => new Map<Held, number>())
  let size = 0

  function enter(held: Held, mode: Mode) {
    const rank = modeRank(mode)
    held.holders[rank] = (held.holders[rank] ?? 0) + 1
    lapsing[rank]?.delete(held)
    if (rank <= modeRank(held.mode)) return
    held.mode = mode
    moved(held)
  }

  function leave(held: Held, mode: Mode) {
    const rank = modeRank(mode)
    const left = (held.holders[rank] ?? 0) - 1
    held.holders[rank] = left
    if (left === 0) lapsing[rank]?.set(held, clock.monotonicMs() + RELEASE_AFTER_MS)
  }

  const highestMode = (held: Held) =>
    MODES.findLast((mode) => {
      const rank = modeRank(mode)
      return (held.holders[rank] ?? 0) > 0 || lapsing[rank]?.has(held)
    })

  function settle(held: Held) {
    const mode = highestMode(held)
    if (mode === held.mode) return
    if (mode) held.mode = mode
    else remove(held)
    moved(held)
  }

  function remove({ owner, token }: Held) {
    const own = owners.get(owner)
    if (!own?.delete(token)) return
    size -= 1
    if (own.size === 0) owners.delete(owner)
  }

  return {
    find: (owner, token) => owners.get(owner)?.get(token),
    owners: () => owners,
    size: () => size,
    room: () => max - size,
    hold(owner, token, mode, preferred) {
      const known = owners.get(owner)?.get(token)
      if (known) {
        enter(known, mode)
        return known
      }
      if (size >= max) return undefined
      const own = owners.get(owner) ?? new Map<number, Held>()
      owners.set(owner, own)
      const held: Held = {
        ...{ owner, token, preferred, mode },
        holders: [0, 0, 0, 0],
        standing: 'undecided',
        account: undefined,
        served: undefined,
        sinceSeq: 0,
      }
      own.set(token, held)
      size += 1
      enter(held, mode)
      moved(held)
      return held
    },
    change(held, from, to) {
      enter(held, to)
      leave(held, from)
    },
    release: leave,
    lapse() {
      const nowMs = clock.monotonicMs()
      for (const waiting of lapsing) {
        for (const [held, untilMs] of waiting) {
          if (untilMs > nowMs) break
          waiting.delete(held)
          settle(held)
        }
      }
    },
  }
}
