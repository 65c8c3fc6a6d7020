// At most one recording plays at a time; starting another ends the first.
import type { SimClock } from '../clock.ts'
import type { InstrumentBook } from '../instruments/instrument-book.ts'
import type { PriceEngine } from '../prices/engine.ts'
import { loadRecording } from '../prices/load-replay.ts'
import { addMissingInstruments, Replay, type ReplayStart, type ReplayView } from '../prices/replay.ts'
import { inputRefused, type Outcome } from '../refusal.ts'

export class Replays {
  readonly #clock: SimClock
  readonly #instruments: InstrumentBook
  readonly #engine: PriceEngine
  #current: { replay: Replay; start: ReplayStart } | null = null

  constructor(clock: SimClock, instruments: InstrumentBook, engine: PriceEngine) {
    this.#clock = clock
    this.#instruments = instruments
    this.#engine = engine
  }

  async start(paths: readonly string[], speed: number, start: ReplayStart): Promise<Outcome<ReplayView>> {
    try {
      const rows = await loadRecording(paths)
      this.stop()
      const tokens = [...new Set(rows.map((row) => row.token))]
      addMissingInstruments(this.#instruments, tokens, this.#clock.nowMs())
      const replay = new Replay(this.#engine, rows, speed)
      this.#current = { replay, start }
      return { ok: true, value: replay.view() }
    } catch (error) {
      return {
        ok: false,
        refusal: inputRefused(error instanceof Error ? error.message : 'unreadable recording'),
      }
    }
  }

  /** Called by the simulator's timer; the pace of a recording is that of the wall clock. */
  pump(): void {
    this.#current?.replay.pump(this.#clock.wallMs(), this.#current.start)
  }

  stop(): void {
    this.#current?.replay.end()
    this.#current = null
  }

  view(): ReplayView | null {
    return this.#current?.replay.view() ?? null
  }
}
