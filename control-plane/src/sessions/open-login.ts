import { randomToken, sha256Hex } from '@ticker/shared/crypto'
import { sql } from 'drizzle-orm'
import { z } from 'zod'
import type { Call } from '../http/call.ts'
import { done, type Outcome, refused } from '../http/problem.ts'
import { cookieNameOf, readLoginState } from './login-state.ts'

export interface OpenedLogin {
  redirectUrl: string
  cookie: { name: string; value: string }
}

/** Binds the login to this browser and sends it to the broker; the same browser may open the link again. */
export async function openLogin(
  call: Call<undefined>,
  state: string,
  readCookie: (name: string) => string | undefined,
): Promise<Outcome<OpenedLogin>> {
  const { config, db } = call.deps
  const nonce = await readLoginState(config.ticketKeys, state)
  if (nonce === undefined) return refused('login_state_invalid')
  const nonceSha256 = await sha256Hex(nonce)
  const name = cookieNameOf(nonceSha256)
  const value = readCookie(name) ?? randomToken()
  const cookieSha256 = await sha256Hex(value)
  const [row] = await db.rows(
    z.object({ api_key: z.string(), paper: z.boolean() }),
    sql`update ticker.login_states l set cookie_sha256 = ${cookieSha256}
      from ticker.accounts a
      where l.nonce_sha256 = ${nonceSha256} and a.id = l.account_id and l.used_at is null and l.expires_at > now()
        and (l.cookie_sha256 is null or l.cookie_sha256 = ${cookieSha256})
      returning a.api_key, a.paper`,
  )
  if (!row) return refused('login_state_invalid')
  const root = row.paper ? config.paper?.loginRoot : config.kiteLoginRoot
  if (root === undefined) return refused('paper_not_configured')
  const url = new URL(root)
  url.searchParams.set('v', '3')
  url.searchParams.set('api_key', row.api_key)
  // The only carrier the broker offers for a state of ours (KITE.md 3).
  url.searchParams.set('redirect_params', new URLSearchParams({ state }).toString())
  return done({ redirectUrl: url.href, cookie: { name, value } })
}
