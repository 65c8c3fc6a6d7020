// The frames that bring a socket from what it has to what it should have (KITE.md 1.2): subscribe, then one mode
// frame per mode, then unsubscribe; each bounded, tokens as JSON numbers. Pure.
import type { Mode } from '@ticker/shared/kite-wire'

export type Target = ReadonlyMap<number, Mode>

/** No cap is documented; a frame of this many tokens stays below 8 kB. */
export const TOKENS_PER_FRAME = 500

export interface TargetDifference {
  subscribe: number[]
  /** Tokens whose mode must be said: new ones too, except quote, which is what subscribe means (KITE.md 1.2). */
  modes: Map<Mode, number[]>
  unsubscribe: number[]
}

export function differenceOf(current: Target, next: Target): TargetDifference {
  const subscribe: number[] = []
  const modes = new Map<Mode, number[]>()
  const unsubscribe: number[] = []
  for (const [token, mode] of next) {
    const had = current.get(token)
    if (had === undefined) subscribe.push(token)
    if (had === mode || (had === undefined && mode === 'quote')) continue
    const tokens = modes.get(mode)
    if (tokens) tokens.push(token)
    else modes.set(mode, [token])
  }
  for (const token of current.keys()) if (!next.has(token)) unsubscribe.push(token)
  return { subscribe, modes, unsubscribe }
}

/**
 * Unsubscribes go first when the two sets together could pass the broker's limit: it counts what a socket holds
 * at that moment, and a token refused there is never heard of again.
 */
export function framesOf(difference: TargetDifference, holding: number, instrumentsMax: number): string[] {
  const leave = batches(difference.unsubscribe).map((v) => JSON.stringify({ a: 'unsubscribe', v }))
  const join = batches(difference.subscribe).map((v) => JSON.stringify({ a: 'subscribe', v }))
  for (const [mode, tokens] of difference.modes) {
    for (const batch of batches(tokens)) join.push(JSON.stringify({ a: 'mode', v: [mode, batch] }))
  }
  return holding + difference.subscribe.length > instrumentsMax ? [...leave, ...join] : [...join, ...leave]
}

function batches(tokens: readonly number[]): number[][] {
  const result: number[][] = []
  for (let start = 0; start < tokens.length; start += TOKENS_PER_FRAME) {
    result.push(tokens.slice(start, start + TOKENS_PER_FRAME))
  }
  return result
}
