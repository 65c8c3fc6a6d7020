// The simulator's clock: the wall clock by default, movable and scalable through the control API. Everything
// that a client sees as time (ticks, orders, token expiry) comes from here; delays stay in real milliseconds.

export interface ClockView {
  now: string
  offset_ms: number
  speed: number
}

export class SimClock {
  readonly #wallMs: () => number
  #anchorWallMs: number
  #anchorSimMs: number
  #speed = 1

  constructor(wallMs: () => number = Date.now, startAtMs?: number) {
    this.#wallMs = wallMs
    this.#anchorWallMs = wallMs()
    this.#anchorSimMs = startAtMs ?? this.#anchorWallMs
  }

  nowMs(): number {
    return this.#anchorSimMs + (this.#wallMs() - this.#anchorWallMs) * this.#speed
  }

  wallMs(): number {
    return this.#wallMs()
  }

  get speed(): number {
    return this.#speed
  }

  set(simMs: number): void {
    this.#anchorWallMs = this.#wallMs()
    this.#anchorSimMs = simMs
  }

  setOffset(offsetMs: number): void {
    this.set(this.#wallMs() + offsetMs)
  }

  setSpeed(speed: number): void {
    this.set(this.nowMs())
    this.#speed = speed
  }

  view(): ClockView {
    const now = this.nowMs()
    return { now: new Date(now).toISOString(), offset_ms: now - this.#wallMs(), speed: this.#speed }
  }
}
