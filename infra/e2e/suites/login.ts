// A second account, from its creation to its ticks, through a real browser.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { DEMO_USERS } from '../../local/system.ts'
import { launchBrowser } from '../browser.ts'
import type { Desk } from '../desk.ts'

const [, SECOND] = DEMO_USERS
/** Someone else who can log in to the same app of the broker. */
const STRANGER = { user_id: 'ZZ0009', api_key: SECOND.api_key, api_secret: SECOND.api_secret }
/** Promised: 5 s. */
const SESSION_USED_MS = 25_000
const session = z.object({ status: z.string(), broker_user_id: z.string().nullable() })

export function loginSuite(desk: () => Desk) {
  describe('login in a real browser', () => {
    let browser: Browser
    beforeAll(async () => {
      browser = await launchBrowser()
      await desk().api.call(z.unknown(), 'POST', '/v1/accounts', {
        id: 'second',
        broker_user_id: SECOND.user_id,
        api_key: SECOND.api_key,
        api_secret: SECOND.api_secret,
      })
    })
    afterAll(() => browser?.close())

    async function loginUrl(): Promise<string> {
      const link = z.object({ login_url: z.string() })
      return (await desk().api.call(link, 'POST', '/v1/accounts/second/login')).login_url
    }
    const readSession = () => desk().api.call(session, 'GET', '/v1/accounts/second/session')
    async function newPage(): Promise<Page> {
      return (await browser.newContext()).newPage()
    }
    async function fillBrokerForm(page: Page, userId: string): Promise<void> {
      await page.fill('input[name=user_id]', userId)
      await page.fill('input[name=password]', 'any')
      await page.fill('input[name=totp]', '123456')
      await page.click('button[type=submit]')
      await page.waitForURL(/\/kite\/callback/)
    }

    it('refuses another broker user than the account’s, and ends that user’s session', async () => {
      await desk().simulator('POST', '/sim/users', {
        ...STRANGER,
        redirect_url: `${desk().system.controlPlaneUrl}/kite/callback`,
      })
      const page = await newPage()
      await page.goto(await loginUrl())
      const answered = page.waitForResponse(/\/kite\/callback/)
      await fillBrokerForm(page, STRANGER.user_id)
      expect((await answered).status()).toBe(403)
      expect(await page.textContent('main')).toContain('Another broker user logged in')
      expect(await readSession()).toEqual({ status: 'none', broker_user_id: null })
      const state = z.object({ users: z.array(z.object({ user_id: z.string(), logged_in: z.boolean() })) })
      await until('the unwanted session is ended', async () => {
        const { users } = state.parse(await desk().simulator('GET', '/sim/state'))
        return users.some((user) => user.user_id === STRANGER.user_id && !user.logged_in)
      })
    })

    it('logs a second account in, once, in the browser that opened the link', async () => {
      const url = await loginUrl()
      const page = await newPage()
      await page.goto(url)
      // Opened, the link belongs to this browser: another one is refused at the link and at the way back.
      const other = await newPage()
      expect((await other.goto(url))?.status()).toBe(403)
      const state = new URL(url).pathname.split('/').at(-1) ?? ''
      const callback = new URL('/kite/callback', url)
      callback.search = new URLSearchParams({ state, status: 'success', request_token: 'guessed' }).toString()
      expect((await other.goto(callback.href))?.status()).toBe(403)

      await fillBrokerForm(page, SECOND.user_id)
      expect(await page.textContent('main')).toMatch(/logged in/i)
      expect(await readSession()).toEqual({ status: 'active', broker_user_id: SECOND.user_id })
      expect((await page.goto(url))?.status()).toBe(403)
    })

    it('the running data plane uses the new session without a restart', async () => {
      const pid = desk().system.dataPlane.pid()
      await desk().subscribe(['NSE:TCS'], { account_id: 'second', source: 'pinned' })
      await until(
        'a socket of the second account carries its instrument',
        async () =>
          (await desk().instance()).accounts.some(
            (account) =>
              account.account_id === 'second' &&
              account.session === 'active' &&
              account.connections.some((connection) => connection.instruments === 1),
          ),
        SESSION_USED_MS,
      )
      expect(desk().system.dataPlane.pid()).toBe(pid)
    })
  })
}
