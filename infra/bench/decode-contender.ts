// One decoder in a process of its own: prints full packets a second.  node decode-contender.ts ours|scan|arrayBuffer|buffer
import { createRequire } from 'node:module'
import { decodeFrame, scanFrame } from '@ticker/shared/kite-wire'
import { fullFrames } from './frames.ts'

export type Contender = 'ours' | 'scan' | 'arrayBuffer' | 'buffer'
export const PACKETS = 200
const WARM_UP_MS = 300
const MEASURED_MS = 500

/** What turns a frame into ticks. */
export function parserOf(name: string): (frame: Uint8Array<ArrayBuffer>) => unknown {
  if (name === 'ours') return decodeFrame
  if (name === 'scan') return (frame) => scanFrame(frame, () => {})
  const { KiteTicker } = createRequire(import.meta.url)('kiteconnect')
  const theirs = new KiteTicker({ api_key: 'a', access_token: 'b' })
  if (name === 'arrayBuffer') return (frame) => theirs.parseBinary(frame.buffer)
  // A view, made per frame at no cost to speak of: the kindest input for that parser.
  return (frame) => theirs.parseBinary(Buffer.from(frame.buffer))
}

function rate(parse: (frame: Uint8Array<ArrayBuffer>) => unknown, ms: number): number {
  const frames = fullFrames(8, PACKETS)
  const startedMs = performance.now()
  let calls = 0
  let kept: unknown
  do {
    const frame = frames[calls % frames.length]
    if (frame) kept = parse(frame)
    calls += 1
  } while (performance.now() - startedMs < ms)
  if (kept === undefined) throw new Error('nothing was decoded')
  return (calls * PACKETS * 1000) / (performance.now() - startedMs)
}

if (process.argv[1] === import.meta.filename) {
  const parse = parserOf(process.argv[2] ?? 'ours')
  rate(parse, WARM_UP_MS)
  console.log(rate(parse, MEASURED_MS))
}
