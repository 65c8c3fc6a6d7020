// The operator console in a real browser: what a desk switches, deletes, looks up and has fetched there.
import { addDays, istDay } from '@ticker/shared/domain'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { until } from '../../local/seed.ts'
import { launchBrowser } from '../browser.ts'
import type { Desk } from '../desk.ts'

/** More than the accounts may ask of the broker within two seconds. */
const LONG_DAYS = 3_800
const flags = z.object({ market_data: z.boolean(), trading: z.boolean(), status: z.string() })

/** The opaque colours on the chart. In the page's language, as this side has no DOM. */
const PAINTED = `[...new Set([...document.querySelectorAll('.candles canvas')].flatMap((canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
  return Array.from({ length: data.length / 4 }, (_, at) => data.subarray(at * 4, at * 4 + 4))
    .filter(([, , , opacity]) => opacity === 255)
    .map(([red, green, blue]) => [red, green, blue].join(' '))
}))]`

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

    it('makes a webhook, tests it, and shows why nobody was told', async () => {
      await page.goto(`${desk().system.controlPlaneUrl}/#webhooks`)
      // Nobody listens there.
      await page.fill('input[name=url]', 'http://127.0.0.1:9/ticker')
      await page.getByRole('button', { name: 'Create' }).click()
      await page.getByText(/whsec_/).waitFor()
      const endpoint = page.locator('tr', { has: page.getByRole('rowheader', { name: '127.0.0.1:9' }) })
      await endpoint.getByRole('button', { name: 'Test' }).click()
      const sent = page.locator('tr', { has: page.getByRole('rowheader', { name: 'webhook.test' }) })
      await sent.getByText('no connection (ECONNREFUSED)').waitFor()
      await endpoint.getByText('1 failed in a row').waitFor()
      await endpoint.getByRole('button', { name: 'Delete' }).click()
      await endpoint.waitFor({ state: 'detached' })
    })

    it('lets the whole fleet only reduce, and trade again', async () => {
      await page.goto(`${desk().system.controlPlaneUrl}/#risk`)
      const fleet = page.locator('tr', { has: page.getByRole('rowheader', { name: 'The whole fleet' }) })
      for (const state of ['REDUCING', 'ACTIVE']) {
        page.once('dialog', (dialog) => void dialog.accept())
        await fleet.getByRole('button', { name: state }).click()
        await fleet.locator('b', { hasText: state }).waitFor()
      }
    })

    it('limits a strategy, changes that, and takes it away', async () => {
      await page.goto(`${desk().system.controlPlaneUrl}/#risk`)
      const form = page.getByRole('form', { name: 'Limit an account' })
      await form.getByLabel('Account').selectOption('demo')
      await form.getByLabel('Strategy').fill('console')
      await form.getByLabel('Orders a day').fill('7')
      await form.getByLabel('MIS until (IST)').fill('15:05')
      await form.getByRole('button', { name: 'Limit' }).click()
      const limits = page.getByRole('region', { name: 'Limits' })
      const limited = limits.locator('tr', { has: page.getByRole('cell', { name: 'console', exact: true }) })
      await limited.getByRole('cell', { name: '15:05' }).waitFor()
      await limited.getByRole('button', { name: 'Edit' }).click()
      await form.getByLabel('Orders a day').fill('8')
      await form.getByRole('button', { name: 'Limit' }).click()
      await limited.getByRole('cell', { name: '8', exact: true }).waitFor()
      await limited.getByRole('cell', { name: '15:05' }).waitFor()
      await limited.getByRole('button', { name: 'Remove' }).click()
      await limited.waitFor({ state: 'detached' })
    })

    it('places a batch, shows that the second leg waits for the first, and stops it', async () => {
      await page.goto(`${desk().system.controlPlaneUrl}/#batches`)
      const form = page.getByRole('form', { name: 'Place a batch' })
      await form.getByLabel('Account').selectOption('demo')
      await form.getByLabel('Product').selectOption('CNC')
      await form.getByLabel('When it stops').selectOption('cancel_open')
      for (const [index, symbol, price] of [
        [0, 'INFY', '1100'],
        [1, 'TCS', '3500'],
      ] as const) {
        const leg = form.getByRole('group', { name: `Leg ${index + 1}` })
        await leg.getByLabel('Exchange').fill('NSE')
        await leg.getByLabel('Symbol').fill(symbol)
        await leg.getByLabel('Quantity').fill('1')
        await leg.getByLabel('Price').fill(price)
      }
      await form.getByRole('button', { name: 'Place the batch' }).click()
      const batch = page.getByRole('region', { name: /^Batch bat_/ })
      await batch.getByText('OPEN').waitFor()
      await batch.getByText('not stored yet').waitFor()
      page.once('dialog', (dialog) => void dialog.accept())
      await batch.getByRole('button', { name: 'Stop', exact: true }).click()
      await batch.getByText('STOPPED').waitFor()
      await batch.getByText('CANCELLED').waitFor()
    })

    it('draws candles of the past, and those that form; what is refused is said in the API’s words', async () => {
      await page.goto(`${desk().system.controlPlaneUrl}/#candles`)
      const chart = page.getByRole('img', { name: /^[1-9]\d* candles from/ })
      await page.fill('input[name=instrument]', 'NSE:INF')
      await page.locator('datalist option[value="NSE:INFY"]').waitFor({ state: 'attached' })
      await page.fill('input[name=instrument]', 'NSE:INFY')
      await page.selectOption('select[name=interval]', '5m')
      await page.getByRole('button', { name: 'Show' }).click()
      await page.getByRole('heading', { name: 'NSE:INFY 5m synthetic' }).waitFor()
      await page.getByText('live candles: live').waitFor()
      await until('ticks make the candle that forms', async () => {
        const [last] = (await chart.getAttribute('aria-label'))?.match(/(?<= to )[^,]+/) ?? []
        return Date.now() - Date.parse(last ?? '') < 5 * 60_000
      })
      expect(await chart.getAttribute('aria-label')).toMatch(/^\d{3,} candles/)
      // Painted, and not merely there.
      const colours = z.array(z.string()).parse(await page.evaluate(PAINTED))
      expect(colours).toEqual(expect.arrayContaining(['26 127 55', '207 34 46']))

      await page.selectOption('select[name=interval]', '3m')
      await page.fill('input[name=from]', addDays(istDay(Date.now()), -LONG_DAYS))
      await page.getByRole('button', { name: 'Show' }).click()
      await page.getByText(/being fetched: \d[\d,]* of 3,8\d\d days/).waitFor()

      await page.fill('input[name=instrument]', 'NSE:NOSUCH')
      await page.getByRole('button', { name: 'Show' }).click()
      await page.getByRole('alert').getByText('instrument_not_found').waitFor()
      expect(await page.locator('.candles').count()).toBe(0)
    })

    it('has the dump fetched, and says how that went', async () => {
      await page.goto(`${desk().system.controlPlaneUrl}/#instruments`)
      await page.getByRole('button', { name: 'Fetch the dump now' }).click()
      await page.getByRole('cell', { name: 'stored' }).waitFor()
    })
  })
}
