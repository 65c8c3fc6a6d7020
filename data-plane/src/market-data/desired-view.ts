// What the streams ask of the desired state: whether this owner has subscribed this instrument. Replaced as a whole
// by each reconcile pass; listeners hear of it.
import type { DesiredRow } from './assign.ts'

export interface DesiredView {
  /** A client only receives what its owner subscribed. */
  ownerStreams(owner: string, token: number): boolean
  /** Moves with every replacement. */
  version(): number
  replace(rows: readonly DesiredRow[]): void
  wanted(): number
}

export function createDesiredView(): DesiredView {
  let byOwner = new Map<string, Set<number>>()
  let wanted = 0
  let version = 0
  return {
    ownerStreams: (owner, token) => byOwner.get(owner)?.has(token) ?? false,
    version: () => version,
    wanted: () => wanted,
    replace(rows) {
      byOwner = new Map()
      wanted = 0
      for (const { owner, instrument_token } of rows) {
        const tokens = byOwner.get(owner) ?? new Set<number>()
        if (!tokens.has(instrument_token)) wanted += 1
        tokens.add(instrument_token)
        byOwner.set(owner, tokens)
      }
      version += 1
    },
  }
}
