// Timers that end with the simulator: nothing it scheduled runs, or keeps the process alive, after `stop`.

export class Tasks {
  readonly #timers = new Set<NodeJS.Timeout>()
  #stopped = false

  after(delayMs: number, run: () => void): void {
    if (this.#stopped) return
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run()
    }, delayMs)
    this.#timers.add(timer)
  }

  every(periodMs: number, run: () => void): void {
    if (this.#stopped) return
    this.#timers.add(setInterval(run, periodMs))
  }

  sleep(delayMs: number): Promise<void> {
    return delayMs <= 0 ? Promise.resolve() : new Promise((resolve) => this.after(delayMs, resolve))
  }

  stop(): void {
    this.#stopped = true
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }
}
