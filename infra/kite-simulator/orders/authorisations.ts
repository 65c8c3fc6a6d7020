// What of unauthorised holdings may be sold (KITE.md 5.5): a request that the API makes, granted by a person on the broker's page,
// for one day of trading. From 17:30 IST on it is for the next day (at the broker: the next trading day); a market that is
// always open has no such hour.
import { randomBytes } from 'node:crypto'
import { DAY_MS, IST_OFFSET_MS, istDay } from '../ist-time.ts'

const SESSION_ENDS_MS = 17.5 * 3_600_000
const REQUESTS_MAX = 1_000

export interface AuthorisationRequest {
  user_id: string
  /** By ISIN; undefined: everything that is held. */
  quantities: ReadonlyMap<string, number> | undefined
}

export class Authorisations {
  readonly #requests = new Map<string, AuthorisationRequest>()
  /** By user, day and instrument. */
  readonly #granted = new Map<string, number>()
  readonly #hasHours: () => boolean

  constructor(hasHours: () => boolean) {
    this.#hasHours = hasHours
  }

  request(request: AuthorisationRequest): string {
    const [oldest] = this.#requests.keys()
    if (this.#requests.size >= REQUESTS_MAX && oldest !== undefined) this.#requests.delete(oldest)
    const id = randomBytes(16).toString('hex')
    this.#requests.set(id, request)
    return id
  }

  find(requestId: string): AuthorisationRequest | undefined {
    return this.#requests.get(requestId)
  }

  /** Once: a request that was granted is gone. */
  grant(
    requestId: string,
    tokensOf: ReadonlyMap<string, { token: number; held: number }>,
    nowMs: number,
  ): void {
    const request = this.#requests.get(requestId)
    if (!request) return
    this.#requests.delete(requestId)
    for (const [isin, { token, held }] of tokensOf) {
      const asked = request.quantities === undefined ? held : (request.quantities.get(isin) ?? 0)
      const key = keyOf(request.user_id, this.#sessionDay(nowMs), token)
      this.#granted.set(key, Math.min(held, (this.#granted.get(key) ?? 0) + asked))
    }
  }

  /** Nothing from 17:30 on: that day is over. */
  authorised(userId: string, token: number, nowMs: number): number {
    const day = istDay(nowMs)
    return this.#sessionDay(nowMs) === day ? (this.#granted.get(keyOf(userId, day, token)) ?? 0) : 0
  }

  /** The day that an authorisation given now is for. */
  #sessionDay(nowMs: number): number {
    const day = istDay(nowMs)
    const isOver = this.#hasHours() && nowMs + IST_OFFSET_MS - day * DAY_MS >= SESSION_ENDS_MS
    return isOver ? day + 1 : day
  }
}

const keyOf = (userId: string, day: number, token: number) => `${userId} ${day} ${token}`
