// Bytes of heap that work takes, exactly: what the heap has grown by over a round, with no collection in it. Needs
// --expose-gc, and a young generation that holds a round.
import { PerformanceObserver } from 'node:perf_hooks'
import { median } from './measure.ts'

const WARM_UP_ROUNDS = 60
const ROUNDS = 15

export interface Counted {
  bytes: number
  /** Garbage collections while it was counted: with any, the bytes are not all. */
  collections: number
}

/** The median of many rounds of `work`; `between` comes before each and is not counted. */
export async function countAllocated(work: () => void, between: () => void): Promise<Counted> {
  const { gc } = globalThis
  if (!gc) throw new Error('started without --expose-gc')
  const observer = new PerformanceObserver(() => {})
  observer.observe({ entryTypes: ['gc'] })
  const round = async (of: () => void) => {
    between()
    gc()
    await turn()
    observer.takeRecords()
    const before = process.memoryUsage().heapUsed
    of()
    const bytes = process.memoryUsage().heapUsed - before
    await turn()
    return { bytes, collections: observer.takeRecords().length }
  }
  for (let warm = 0; warm < WARM_UP_ROUNDS; warm += 1) {
    between()
    work()
  }
  const rounds: Counted[] = []
  const idle: number[] = []
  for (let index = 0; index < ROUNDS; index += 1) {
    rounds.push(await round(work))
    // What reading the counters takes.
    idle.push((await round(() => {})).bytes)
  }
  observer.disconnect()
  return {
    bytes: median(rounds.map(({ bytes }) => bytes)) - median(idle),
    collections: rounds.reduce((sum, { collections }) => sum + collections, 0),
  }
}

/** Collections are reported a turn of the event loop after they were. */
async function turn() {
  await new Promise((resolve) => setImmediate(resolve))
  await new Promise((resolve) => setImmediate(resolve))
}
