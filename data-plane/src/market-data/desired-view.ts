// What the streams ask of the desired state: whether this owner has subscribed this instrument, by name or through a
// strike ladder. Replaced as a whole whenever that may have changed; whoever replaces it learns what did.
import type { Mode } from '@ticker/shared/kite-wire'
import { modesOf, type Wants } from './wants.ts'

/** `added` holds new instruments and those whose mode is another now. */
export interface DesiredChange {
  owner: string
  added: Map<number, Mode>
  removed: number[]
}

export interface DesiredView {
  /** A client only receives what its owner subscribed. */
  ownerStreams(owner: string, token: number): boolean
  /** By any owner, whether an account can stream it or not. */
  isWanted(token: number): boolean
  /** 0 until the first replacement; moves when something changed. */
  version(): number
  replace(wants: Wants): DesiredChange[]
  wanted(): number
}

export function createDesiredView(): DesiredView {
  let byOwner: ReadonlyMap<string, ReadonlyMap<number, Mode>> = new Map()
  let version = 0
  return {
    ownerStreams: (owner, token) => byOwner.get(owner)?.has(token) ?? false,
    isWanted(token) {
      for (const tokens of byOwner.values()) if (tokens.has(token)) return true
      return false
    },
    version: () => version,
    wanted: () => [...byOwner.values()].reduce((sum, tokens) => sum + tokens.size, 0),
    replace(wants) {
      const next = new Map<string, ReadonlyMap<number, Mode>>()
      for (const [owner, own] of wants) next.set(owner, modesOf(own))
      const changes = changesBetween(byOwner, next)
      byOwner = next
      if (changes.length > 0 || version === 0) version += 1
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
    const added = new Map<number, Mode>()
    has.forEach((mode, token) => {
      if (had.get(token) !== mode) added.set(token, mode)
    })
    const removed: number[] = []
    had.forEach((_, token) => {
      if (!has.has(token)) removed.push(token)
    })
    if (added.size > 0 || removed.length > 0) changes.push({ owner, added, removed })
  }
  return changes
}
