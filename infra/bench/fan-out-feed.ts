// What both contenders of `fan-out` are fed: full packets of 45,000 instruments in frames of 225, evenly over the
// second, each stamped with when it was handed in.
import { OFFSETS } from '@ticker/shared/kite-wire'
import { fullFrames } from './frames.ts'

export const INSTRUMENTS = 45_000
const PACKETS_PER_FRAME = 225
const PACKET_STRIDE = 186
const FEED_MS = 5

export const tokenOf = (index: number) => (1_000 + index) * 256 + 1

/** Shared by the processes of one machine. */
export const nowMs = () => Number(process.hrtime.bigint()) / 1e6

/** Tenths of a millisecond in 32 bits: where volume_traded is, so that quote packets carry it too. */
export const stampOf = (ms: number) => Math.floor(ms * 10) % 2 ** 32
export const agoMs = (stamp: number, ms: number) => ((stampOf(ms) - stamp + 2 ** 32) % 2 ** 32) / 10

export interface Feed {
  setRate(ticksPerS: number): void
  fed(): number
}

export function startFeed(onFrame: (frame: Uint8Array) => void): Feed {
  const frames = fullFrames(INSTRUMENTS / PACKETS_PER_FRAME, PACKETS_PER_FRAME, 'distinct')
  const views = frames.map((frame) => new DataView(frame.buffer, frame.byteOffset, frame.byteLength))
  let rate = 0
  let sinceMs = nowMs()
  let owed = 0
  let next = 0
  let fed = 0
  setInterval(() => {
    const ms = nowMs()
    // A process that stood still is not given a minute's ticks at once.
    owed = Math.min(owed + ((ms - sinceMs) / 1000) * rate, rate / 4)
    sinceMs = ms
    for (; owed >= PACKETS_PER_FRAME; owed -= PACKETS_PER_FRAME) {
      const [frame, view] = [frames[next], views[next]]
      if (!frame || !view) return
      for (let index = 0; index < PACKETS_PER_FRAME; index++)
        view.setUint32(4 + index * PACKET_STRIDE + OFFSETS.volumeTraded, stampOf(ms))
      onFrame(frame)
      next = (next + 1) % frames.length
      fed += PACKETS_PER_FRAME
    }
  }, FEED_MS)
  return {
    setRate(ticksPerS) {
      rate = ticksPerS
      owed = 0
      sinceMs = nowMs()
    },
    fed: () => fed,
  }
}
