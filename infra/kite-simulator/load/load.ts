// The `rate` control: a fixed number of ticks a second over the subscriptions of the matching sockets, spread evenly,
// one ready frame per socket and interval. Instruments of closed segments, muted ones, and those that hardly trade
// are left out. A client that does not keep up is skipped, and a simulator that does not is late: both are counted.
import { packetLengthFor } from '@ticker/shared/kite-wire'
import type { Market } from '../calendar/market.ts'
import type { SimClock } from '../clock.ts'
import { type Faults, isOn } from '../faults/faults.ts'
import type { PriceEngine } from '../prices/engine.ts'
import type { TickerServer } from '../ticker/ticker-server.ts'
import type { TickerSocket } from '../ticker/ticker-socket.ts'
import { FramePlan, type PlanEntry } from './frame-plan.ts'

export interface LoadSettings {
  ticks_per_s: number
  interval_ms: number
  for_ms?: number | undefined
  user_id?: string | undefined
  socket?: string | number | undefined
}

export interface LoadView extends LoadSettings {
  running: boolean
  sockets: number
  instruments: number
  sent: { ticks: number; frames: number; bytes: number }
  backpressure_skipped_ticks: number
  late_ticks: number
  ran_ms: number
}

/** A socket may be behind by this long before what it missed is given up. */
const BEHIND_MS_MAX = 200

type Driven = { plan: FramePlan; entries: number; credit: number; key: string }
type Run = {
  settings: LoadSettings
  startedMs: number
  pulsedMs: number
  driven: Map<TickerSocket, Driven>
  sent: LoadView['sent']
  skipped: number
  late: number
}

export interface LoadParts {
  clock: SimClock
  engine: PriceEngine
  market: Market
  faults: Faults
  ticker: TickerServer
}

export class Load {
  readonly #parts: LoadParts
  #run: Run | null = null
  /** Of the run that ended last, until another starts. */
  #ended: LoadView | null = null

  constructor(parts: LoadParts) {
    this.#parts = parts
  }

  start(settings: LoadSettings): LoadView {
    this.stop()
    const nowMs = this.#parts.clock.wallMs()
    const sent = { ticks: 0, frames: 0, bytes: 0 }
    const run = { settings, startedMs: nowMs, pulsedMs: nowMs, driven: new Map(), sent, skipped: 0, late: 0 }
    this.#run = run
    return this.#view(run, true)
  }

  stop(): void {
    const run = this.#run
    if (run === null) return
    this.#run = null
    this.#ended = this.#view(run, false)
    for (const [socket, { plan }] of run.driven) {
      plan.settle(this.#parts.clock.nowMs())
      this.#parts.ticker.setLoaded(socket, false)
    }
  }

  view(): LoadView | null {
    return this.#run === null ? this.#ended : this.#view(this.#run, true)
  }

  /** Called by the simulator's timer every few milliseconds; free while no rate is set. */
  pulse(): void {
    const run = this.#run
    if (run === null) return
    const { settings } = run
    const nowMs = this.#parts.clock.wallMs()
    if (settings.for_ms !== undefined && nowMs - run.startedMs >= settings.for_ms) {
      this.stop()
      return
    }
    const elapsedMs = nowMs - run.pulsedMs
    if (elapsedMs < settings.interval_ms) return
    run.pulsedMs = nowMs
    this.#refresh(run)
    let instruments = 0
    for (const { entries } of run.driven.values()) instruments += entries
    if (instruments === 0) return
    const perInstrument = settings.ticks_per_s / instruments / 1000
    for (const [socket, driven] of run.driven) {
      const perMs = perInstrument * driven.entries
      driven.credit += perMs * elapsedMs
      const most = Math.max(driven.plan.nextTicks, perMs * BEHIND_MS_MAX)
      if (driven.credit > most) {
        run.late += driven.credit - most
        driven.credit = most
      }
      this.#send(run, socket, driven)
    }
  }

  #send(run: Run, socket: TickerSocket, driven: Driven): void {
    const { ticker, clock } = this.#parts
    const { plan } = driven
    const epochSeconds = Math.floor(clock.nowMs() / 1000)
    const quiet = ticker.isQuiet(socket)
    while (!plan.isEmpty && driven.credit >= plan.nextTicks) {
      const ticks = plan.nextTicks
      driven.credit -= ticks
      if (quiet) {
        plan.skip()
        continue
      }
      if (!socket.isWritable) {
        socket.skippedTicks += ticks
        run.skipped += ticks
        plan.skip()
        continue
      }
      const frame = plan.take(epochSeconds)
      if (frame === null) return
      const spoil = ticker.takeSpoil(socket)
      if (spoil !== undefined) socket.sendTicks(spoil(frame.bytes.subarray(frame.containerAt)), ticks)
      else socket.writeReady(frame.bytes, ticks)
      run.sent.ticks += ticks
      run.sent.frames++
      run.sent.bytes += frame.bytes.length
    }
  }

  /** Plans follow the sockets, their subscriptions, the market and the faults. */
  #refresh(run: Run): void {
    const { ticker, market, faults, clock } = this.#parts
    const { user_id, socket: named, ticks_per_s, interval_ms } = run.settings
    const open = market.openGroups()
    const state = `${faults.version} ${open.join()}`
    const sockets = [...ticker.sockets()].filter((each) => isOn({ user_id, socket: named }, each))
    for (const [socket, { plan }] of run.driven) {
      if (sockets.includes(socket)) continue
      plan.settle(clock.nowMs())
      run.driven.delete(socket)
    }
    const perFrame = Math.max(1, Math.round((ticks_per_s * interval_ms) / 1000 / Math.max(1, sockets.length)))
    for (const socket of sockets) {
      const before = run.driven.get(socket)
      const key = `${socket.subscriptionVersion} ${perFrame} ${state}`
      if (before?.key === key) continue
      before?.plan.settle(clock.nowMs())
      ticker.setLoaded(socket, true)
      const entries = this.#entriesOf(socket, open)
      const plan = new FramePlan(entries, perFrame)
      run.driven.set(socket, { plan, entries: entries.length, credit: before?.credit ?? 0, key })
    }
  }

  #entriesOf(socket: TickerSocket, open: readonly boolean[]): PlanEntry[] {
    const { engine, faults } = this.#parts
    const entries: PlanEntry[] = []
    for (const [token, mode] of socket.modes) {
      const quote = engine.quote(token)
      if (quote === undefined || quote.conduct !== 'normal' || quote.replayed) continue
      if (open[quote.group] === false || faults.mutesTick(socket, token, quote.instrument.exchange)) continue
      entries.push({ quote, length: packetLengthFor(token, mode) })
    }
    return entries
  }

  #view(run: Run, running: boolean): LoadView {
    let instruments = 0
    for (const { entries } of run.driven.values()) instruments += entries
    return {
      ...run.settings,
      running,
      sockets: run.driven.size,
      instruments,
      sent: { ...run.sent },
      backpressure_skipped_ticks: run.skipped,
      late_ticks: Math.round(run.late),
      ran_ms: this.#parts.clock.wallMs() - run.startedMs,
    }
  }
}
