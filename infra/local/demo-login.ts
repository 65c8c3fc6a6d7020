// Logs an account in again when its simulator comes back without its sessions. Only what this command logged in
// itself: other accounts are somebody's own, and so is a demo account that was logged out or removed.
import { z } from 'zod'
import { type ApiClient, logIn } from './seed.ts'

const session = z.object({ status: z.string() })

export async function logInAgain(
  api: ApiClient,
  accountId: string,
  userId: string,
  report: (line: string) => void,
  login: typeof logIn = logIn,
): Promise<void> {
  try {
    const answer = await api.request('GET', `/v1/accounts/${accountId}/session`)
    if (answer.status === 404) return
    if (answer.ok && session.parse(await answer.json()).status === 'logged_out') return
    await login(api, accountId, userId)
    report(`account ${accountId} is logged in again; accounts of yours need a login`)
  } catch (error) {
    report(
      `account ${accountId} could not be logged in again: ${error instanceof Error ? error.message : error}`,
    )
  }
}
