// The operator console in a real browser: what a desk switches, deletes, looks up and has fetched there.
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { launchBrowser } from '../browser.ts'
import type { Desk } from '../desk.ts'

const flags = z.object({ market_data: z.boolean(), trading: z.boolean(), status: z.string() })

export function consoleSuite(desk: () => Desk) {
  describe('the console', () => {
    let browser: Browser
    let page: Page
    beforeAll(async () => {
      browser = await launchBrowser()
      await desk().api.call(z.unknown(), 'POST', '/v1/accounts', {
        ...{ id: 'spare', api_key: 'spare-app', api_secret: 'planted-spare-secret' },
      })
      page = await browser.newPage()
      await page.goto(`${desk().system.controlPlaneUrl}/`)
      await page.fill('input[name=key]', desk().apiKey)
      await page.click('button[type=submit]')
    })
    afterAll(() => browser?.close())

    const row = () => page.locator('tr', { has: page.getByRole('rowheader', { name: 'spare' }) })
    const account = () => desk().api.call(flags, 'GET', '/v1/accounts/spare')

    it('switches what an account is for', async () => {
      await row().getByRole('checkbox', { name: 'spare streams' }).click()
      await until('it streams no more', async () => !(await account()).market_data)
      await row().getByRole('checkbox', { name: 'spare trades' }).click()
      await until('it trades no more', async () => !(await account()).trading)
      await row().getByText('not for trading').waitFor()
    })

    it('deletes a disabled account after asking once more', async () => {
      await row().getByRole('button', { name: 'Disable' }).click()
      await row().getByRole('button', { name: 'Delete' }).click()
      await row().getByRole('button', { name: 'Erase spare' }).click()
      await row().waitFor({ state: 'detached' })
    })

    it('shows the audit log, narrowed', async () => {
      await page.goto(`${desk().system.controlPlaneUrl}/#audit`)
      await page.fill('input[name=subject]', 'spare')
      await page.fill('input[name=action]', 'account.delete')
      await page.getByRole('button', { name: 'Show' }).click()
      const entries = page.locator('tbody tr')
      await until('one entry is left', async () => (await entries.count()) === 1)
      expect(await entries.first().textContent()).toContain('account.deletespare')
    })

    it('shows candles of the past', async () => {
      await page.goto(`${desk().system.controlPlaneUrl}/#history`)
      await page.fill('input[name=instrument]', 'NSE:INFY')
      await page.selectOption('select[name=interval]', '1h')
      await page.getByRole('button', { name: 'Show' }).click()
      await page.getByText(/^NSE:INFY 1h: [1-9]\d* candles/).waitFor()
      expect(await page.locator('svg.candles rect').count()).toBeGreaterThan(20)
    })

    it('has the dump fetched, and says how that went', async () => {
      await page.goto(`${desk().system.controlPlaneUrl}/#instruments`)
      await page.getByRole('button', { name: 'Fetch the dump now' }).click()
      await page.getByRole('cell', { name: 'stored' }).waitFor()
    })
  })
}
