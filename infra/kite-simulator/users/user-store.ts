// The broker's clients: their app (key, secret, redirect URL) and their one live session. A new login kills the
// previous token; a token dies at 06:00 IST of the next day by the simulated clock (KITE.md 3).
import { createHash, randomBytes } from 'node:crypto'
import type { SimClock } from '../clock.ts'
import { nextTokenExpiryMs } from '../ist-time.ts'
import type { FundOptions } from '../mutual-funds/mutual-funds.ts'
import type { HoldingOptions } from '../orders/holdings.ts'

export interface UserOptions {
  user_id: string
  api_key: string
  api_secret: string
  user_name?: string | undefined
  /** Where the login page sends the browser: what the developer registers for the app. */
  redirect_url?: string | undefined
  postback_url?: string | undefined
  /** Opening cash, rupees. */
  balance?: number | undefined
  /** Shares in the depository from the start. */
  holdings?: readonly HoldingOptions[] | undefined
  mutual_funds?: readonly FundOptions[] | undefined
  /** Starts logged in with this token; otherwise the user has to log in. */
  access_token?: string | undefined
}

export interface Session {
  access_token: string
  public_token: string
  login_ms: number
  expires_ms: number
}

export interface User {
  user_id: string
  api_key: string
  api_secret: string
  user_name: string
  redirect_url: string | null
  postback_url: string | null
  balance: number
  mutual_funds: readonly FundOptions[]
  session: Session | null
}

export type UserChange = {
  redirect_url?: string | undefined
  postback_url?: string | undefined
  balance?: number | undefined
}
export type ExchangeFailure = 'unknown_api_key' | 'bad_request_token' | 'bad_checksum'

export const DEFAULT_BALANCE = 10_000_000
export const REQUEST_TOKEN_TTL_MS = 5 * 60_000
export const REQUEST_TOKENS_MAX = 1_000
export const USERS_MAX = 1_000

export class UserStore {
  readonly #users = new Map<string, User>()
  readonly #requestTokens = new Map<string, { user_id: string; expires_ms: number }>()
  readonly #clock: SimClock

  constructor(clock: SimClock, users: readonly UserOptions[]) {
    this.#clock = clock
    for (const user of users) this.add(user)
  }

  /** Adds or replaces; false when the store is full. */
  add(options: UserOptions): User | null {
    if (this.#users.size >= USERS_MAX && !this.#users.has(options.user_id)) return null
    const user: User = {
      user_id: options.user_id,
      api_key: options.api_key,
      api_secret: options.api_secret,
      user_name: options.user_name ?? `Simulated ${options.user_id}`,
      redirect_url: options.redirect_url ?? null,
      postback_url: options.postback_url ?? null,
      balance: options.balance ?? DEFAULT_BALANCE,
      mutual_funds: options.mutual_funds ?? [],
      session: null,
    }
    if (options.access_token !== undefined) user.session = this.#session(options.access_token)
    this.#users.set(user.user_id, user)
    return user
  }

  change(userId: string, change: UserChange): User | null {
    const user = this.#users.get(userId)
    if (user === undefined) return null
    user.redirect_url = change.redirect_url ?? user.redirect_url
    user.postback_url = change.postback_url ?? user.postback_url
    user.balance = change.balance ?? user.balance
    return user
  }

  get(userId: string): User | null {
    return this.#users.get(userId) ?? null
  }

  all(): User[] {
    return [...this.#users.values()]
  }

  byApiKey(apiKey: string): User[] {
    return this.all().filter((user) => user.api_key === apiKey)
  }

  /** The user of a live token, or null: wrong, replaced, logged out and expired tokens look the same. */
  authenticate(apiKey: string, accessToken: string): User | null {
    for (const user of this.#users.values()) {
      const session = user.session
      if (user.api_key !== apiKey || session === null || session.access_token !== accessToken) continue
      return this.#clock.nowMs() < session.expires_ms ? user : null
    }
    return null
  }

  issueRequestToken(user: User): string {
    if (this.#requestTokens.size >= REQUEST_TOKENS_MAX) this.#dropOldestRequestToken()
    const token = randomToken()
    this.#requestTokens.set(token, {
      user_id: user.user_id,
      expires_ms: this.#clock.wallMs() + REQUEST_TOKEN_TTL_MS,
    })
    return token
  }

  /** `POST /session/token`: the request token is spent by the first right or wrong use. */
  exchange(apiKey: string, requestToken: string, checksum: string): User | ExchangeFailure {
    if (this.byApiKey(apiKey).length === 0) return 'unknown_api_key'
    const issued = this.#requestTokens.get(requestToken)
    this.#requestTokens.delete(requestToken)
    if (issued === undefined || issued.expires_ms < this.#clock.wallMs()) return 'bad_request_token'
    const user = this.get(issued.user_id)
    if (user === null || user.api_key !== apiKey) return 'bad_request_token'
    if (checksum !== sha256(apiKey + requestToken + user.api_secret)) return 'bad_checksum'
    this.login(user)
    return user
  }

  login(user: User): Session {
    user.session = this.#session(randomToken())
    return user.session
  }

  logout(user: User): void {
    user.session = null
  }

  #session(accessToken: string): Session {
    const loginMs = this.#clock.nowMs()
    return {
      access_token: accessToken,
      public_token: randomToken(),
      login_ms: loginMs,
      expires_ms: nextTokenExpiryMs(loginMs),
    }
  }

  #dropOldestRequestToken(): void {
    for (const token of this.#requestTokens.keys()) {
      this.#requestTokens.delete(token)
      return
    }
  }
}

export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** 32 letters and digits, the shape of the broker's tokens; never from the seed, so restarts do not repeat them. */
function randomToken(): string {
  return randomBytes(16).toString('hex')
}
