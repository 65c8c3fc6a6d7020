// What the streams ask of the desired state: whether this owner has subscribed this instrument. Replaced as a whole
// by each reconcile pass, which learns what changed.
import { type Mode, modeRank } from '@ticker/shared/kite-wire'
import type { DesiredRow } from './assign.ts'

/** `added` holds new instruments and those whose mode is another now. */
export interface DesiredChange {
  owner: string
  added: Map<number, Mode>
  removed: number[]
}

export interface DesiredView {
  /** A client only receives what its owner subscribed. */
  ownerStreams(owner: string, token: number): boolean
  /** Moves with every replacement. */
  version(): number
  replace(rows: readonly DesiredRow[]): DesiredChange[]
  wanted(): number
}

export function createDesiredView(): DesiredView {
  let byOwner = new Map<string, Map<number, Mode>>()
  let version = 0
  return {
    ownerStreams: (owner, token) => byOwner.get(owner)?.has(token) ?? false,
    version: () => version,
    wanted: () => [...byOwner.values()].reduce((sum, tokens) => sum + tokens.size, 0),
    replace(rows) {
      const next = new Map<string, Map<number, Mode>>()
      for (const { owner, instrument_token: token, mode } of rows) {
        const modes = next.get(owner) ?? new Map<number, Mode>()
        next.set(owner, modes)
        const had = modes.get(token)
        if (had === undefined || modeRank(mode) > modeRank(had)) modes.set(token, mode)
      }
      const changes = changesBetween(byOwner, next)
      byOwner = next
      version += 1
      return changes
    },
  }
}

function changesBetween(
  before: ReadonlyMap<string, ReadonlyMap<number, Mode>>,
  after: ReadonlyMap<string, ReadonlyMap<number, Mode>>,
): DesiredChange[] {
  const none: ReadonlyMap<number, Mode> = new Map()
  const changes: DesiredChange[] = []
  for (const owner of new Set([...before.keys(), ...after.keys()])) {
    const [had, has] = [before.get(owner) ?? none, after.get(owner) ?? none]
    const added = new Map([...has].filter(([token, mode]) => had.get(token) !== mode))
    const removed = [...had.keys()].filter((token) => !has.has(token))
    if (added.size > 0 || removed.length > 0) changes.push({ owner, added, removed })
  }
  return changes
}
