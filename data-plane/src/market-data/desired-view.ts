// What owners want: by name, through a strike ladder, or because clients of theirs are streamed it. Kept to say what
// changed, to whoever announces it; each instrument of an owner is one, in the highest mode.
import type { Mode } from '@ticker/shared/kite-wire'
import type { ServedChange } from './interest/client-interest.ts'
import { higher, modesOf, type Wants } from './wants.ts'

/** `added` holds new instruments and those whose mode is another now. */
export interface DesiredChange {
  owner: string
  added: Map<number, Mode>
  removed: number[]
}

export interface DesiredView {
  /** The highest that rows or ladders of any owner want, whether an account can stream it or not. */
  wantedMode(token: number): Mode | undefined
  /** 0 until the first update. */
  version(): number
  /** What rows and ladders want, as a whole (undefined: as before), and what interest changed. */
  update(wants: Wants | undefined, served: readonly ServedChange[]): DesiredChange[]
  /** Whether rows or ladders of that owner want such an instrument. */
  ownerWants(owner: string, isSuch: (token: number) => boolean): boolean
  /** By rows and ladders, each owner counted. */
  wanted(): number
}

type Modes = ReadonlyMap<number, Mode>
const NONE: Modes = new Map()

export function createDesiredView(): DesiredView {
  let byRows: ReadonlyMap<string, Modes> = new Map()
  const byInterest = new Map<string, Map<number, Mode>>()
  let version = 0

  const modeOf = (owner: string, token: number) =>
    higher(byRows.get(owner)?.get(token), byInterest.get(owner)?.get(token))

  function setInterest({ owner, token, after }: ServedChange) {
    const modes = byInterest.get(owner) ?? new Map<number, Mode>()
    byInterest.set(owner, modes)
    if (after) modes.set(token, after)
    else modes.delete(token)
    if (modes.size === 0) byInterest.delete(owner)
  }

  return {
    wantedMode(token) {
      let mode: Mode | undefined
      for (const modes of byRows.values()) mode = higher(mode, modes.get(token))
      return mode
    },
    version: () => version,
    ownerWants(owner, isSuch) {
      for (const token of byRows.get(owner)?.keys() ?? []) if (isSuch(token)) return true
      return false
    },
    wanted: () => [...byRows.values()].reduce((sum, tokens) => sum + tokens.size, 0),
    update(wants, served) {
      const next = wants ? new Map([...wants].map(([owner, own]) => [owner, modesOf(own)])) : byRows
      const touched = touchedBy(byRows, next)
      for (const { owner, token } of served) touch(touched, owner, token)
      const before = new Map(
        [...touched].map(([owner, tokens]) => [
          owner,
          new Map([...tokens].map((token) => [token, modeOf(owner, token)])),
        ]),
      )
      byRows = next
      served.forEach(setInterest)
      version += 1
      return changesSince(before, modeOf)
    },
  }
}

function touch(touched: Map<string, Set<number>>, owner: string, token: number) {
  const tokens = touched.get(owner)
  if (tokens) tokens.add(token)
  else touched.set(owner, new Set([token]))
}

/** Instruments whose mode differs. */
function touchedBy(before: ReadonlyMap<string, Modes>, after: ReadonlyMap<string, Modes>) {
  const touched = new Map<string, Set<number>>()
  if (before === after) return touched
  for (const owner of new Set([...before.keys(), ...after.keys()])) {
    const [had, has] = [before.get(owner) ?? NONE, after.get(owner) ?? NONE]
    has.forEach((mode, token) => {
      if (had.get(token) !== mode) touch(touched, owner, token)
    })
    had.forEach((_, token) => {
      if (!has.has(token)) touch(touched, owner, token)
    })
  }
  return touched
}

function changesSince(
  before: ReadonlyMap<string, ReadonlyMap<number, Mode | undefined>>,
  modeOf: (owner: string, token: number) => Mode | undefined,
): DesiredChange[] {
  const changes: DesiredChange[] = []
  for (const [owner, modes] of before) {
    const added = new Map<number, Mode>()
    const removed: number[] = []
    modes.forEach((had, token) => {
      const mode = modeOf(owner, token)
      if (mode === had) return
      if (mode) added.set(token, mode)
      else removed.push(token)
    })
    if (added.size > 0 || removed.length > 0) changes.push({ owner, added, removed })
  }
  return changes
}
