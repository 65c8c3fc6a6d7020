// The price a ladder follows: the last tick of its underlying while that is fresh. While the cash market stands still
// and its options trade on (the closing auction), the near future less what it last stood above the underlying.
import { divisorOf, OFFSETS, segmentOf } from '@ticker/shared/kite-wire'
import type { TickStore } from '../tick-store.ts'
import type { Chain, Priced } from './chain.ts'

/** A last price older than this moves nothing. */
export const SPOT_STALE_AFTER_MS = 60_000

export interface Spot {
  /** Whose tick it was. */
  key: string
  price: number
  ageMs: number
}

/** `spot_stale` still says which price was the last. */
export type SpotReading =
  | { state: 'live'; spot: Spot }
  | { state: 'spot_stale'; spot: Spot }
  | { state: 'no_spot' }

export interface SpotDeps {
  store: TickStore
  clock: { nowMs(): number }
  serving(token: number): 'live' | 'stale' | undefined
  /** Whether the exchange of this segment is in continuous trading now. */
  isOpen(segment: number): boolean
}

/** The last price of an instrument, and whether it is one of now. Undefined: no tick, or it never traded. */
export function readPrice(
  { store, clock, serving }: Pick<SpotDeps, 'store' | 'clock' | 'serving'>,
  { token, key }: Priced,
): (Spot & { live: boolean }) | undefined {
  const slot = store.slotOf(token)
  if (slot < 0) return undefined
  const packet = store.packetAt(slot)
  const raw = new DataView(packet.buffer, packet.byteOffset).getInt32(OFFSETS.lastPrice)
  // An instrument that never traded has price 0.
  if (raw <= 0) return undefined
  const ageMs = Math.max(0, clock.nowMs() - store.receivedMsAt(slot))
  const live = ageMs <= SPOT_STALE_AFTER_MS && serving(token) === 'live'
  return { key, price: raw / divisorOf(token), ageMs, live }
}

/** Remembers how far the future stood above its underlying. */
export function createSpotReader(deps: SpotDeps) {
  const read = (instrument: Priced) => readPrice(deps, instrument)
  /** Future's price less the underlying's, when both were live. */
  let basis: number | undefined

  return (chain: Chain, optionToken: number | undefined): SpotReading => {
    const { underlying, standIn } = chain
    const spot = underlying && read(underlying)
    const future = standIn && read(standIn)
    const cashStandsStill =
      underlying !== undefined &&
      optionToken !== undefined &&
      deps.isOpen(segmentOf(optionToken)) &&
      !deps.isOpen(segmentOf(underlying.token))
    if (spot?.live && !cashStandsStill) {
      if (future?.live) basis = future.price - spot.price
      return { state: 'live', spot }
    }
    if (future?.live && basis !== undefined)
      return { state: 'live', spot: { ...future, price: future.price - basis } }
    return spot ? { state: 'spot_stale', spot } : { state: 'no_spot' }
  }
}
export type SpotReader = ReturnType<typeof createSpotReader>
