// The random walks everything is priced from: one per equity, index, or underlying without a spot of its own.
// A walk moves by a fixed step of market time, so its path depends on the seed and the number of steps only.
import { type Random, seededRandom, seedFrom } from '../random.ts'

const SECONDS_A_YEAR = 252 * 6.25 * 3_600
/** Pulls the walk back to its base, so that a simulator that runs for days stays believable. */
const REVERSION_PER_STEP = 2e-5

export class Spot {
  readonly base: number
  readonly volatility: number
  price: number
  readonly #random: Random

  constructor(seed: number, name: string, base: number, volatility: number) {
    this.#random = seededRandom(seedFrom(seed, name))
    this.base = base
    this.volatility = volatility
    this.price = base * (1 + (volatility / 60) * this.#random.gaussian())
  }

  step(seconds: number): void {
    const shock = this.volatility * Math.sqrt(seconds / SECONDS_A_YEAR) * this.#random.gaussian()
    const pull = REVERSION_PER_STEP * Math.log(this.base / this.price)
    this.price *= Math.exp(shock + pull)
  }
}
