// A real browser without a window, its network work cut to what the test asks for.
import { type Browser, chromium } from 'playwright-core'
import { CHROMIUM, ensureProgram } from '../local/debian-package.ts'

export async function launchBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: await ensureProgram(CHROMIUM, console.log),
    args: [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
