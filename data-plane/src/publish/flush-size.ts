// How many ticks a flush may have: all, until one is too much for the way to Redis. A flush that is not there in time is
// lost as a whole, so over a narrow way smaller ones are sent, and each goes on with the shards the last one left.

export interface FlushSize {
  ticksMax(): number
  published(ticks: number, tookMs: number): void
  lost(ticks: number): void
}

/** Some 12 kB: 0.1 s over 1 Mbit/s. */
export const TICKS_MIN = 64
/** More than there are instruments. */
const TICKS_MAX = 2 ** 20
/** Answered sooner, one twice as large may be in time as well; 1 s is too late. */
const ROOM_BELOW_MS = 700

export function createFlushSize(): FlushSize {
  let ticksMax = TICKS_MAX
  return {
    ticksMax: () => ticksMax,
    published(ticks, tookMs) {
      if (ticks >= ticksMax && tookMs < ROOM_BELOW_MS) ticksMax = Math.min(TICKS_MAX, ticksMax * 2)
    },
    lost(ticks) {
      ticksMax = Math.max(TICKS_MIN, Math.floor(ticks / 2))
    },
  }
}
