// Logs the demo account in again when the simulator comes back without its sessions. Only what this command logged in
// itself: other accounts are somebody's own, and so is a demo account that was logged out or removed.
import { z } from 'zod'
import { type ApiClient, DEMO_ACCOUNT, logIn } from './seed.ts'

const session = z.object({ status: z.string() })

export async function logInAgain(
  api: ApiClient,
  userId: string,
  report: (line: string) => void,
  login: typeof logIn = logIn,
): Promise<void> {
  try {
    const answer = await api.request('GET', `/v1/accounts/${DEMO_ACCOUNT}/session`)
    if (answer.status === 404) return
    if (answer.ok && session.parse(await answer.json()).status === 'logged_out') return
    await login(api, DEMO_ACCOUNT, userId)
    report('the demo account is logged in again; other accounts need a login of yours')
  } catch (error) {
    report(`the demo account could not be logged in again: ${error instanceof Error ? error.message : error}`)
  }
}
