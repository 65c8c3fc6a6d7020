// Whether the broker takes an account's sockets, stored with the session so that its instruments go to other accounts and
// people are told why. One socket of several may be refused for a moment: the account is not while another of it is open.
import { SOCKET_REFUSED_REASON } from '@ticker/shared/domain'
import type { Log } from '../operations/log.ts'
import type { OwnedAccount } from './owned-account.ts'

export interface SocketRefusals {
  /** A socket of this session version was refused though the session lives. */
  refused(accountId: string, sessionVersion: number): Promise<void>
  /** Takes back what is stored of accounts that have a socket open. */
  look(accounts: readonly OwnedAccount[]): void
}

export function createSocketRefusals(deps: {
  log: Log
  /** Answers whether that is news. */
  mark(accountId: string, sessionVersion: number, refused: boolean): Promise<boolean>
  sockets(): readonly { account_id: string; connections: readonly { state: string }[] }[]
  onMoved(): void
}): SocketRefusals {
  const { log } = deps

  const hasOpenSocket = (accountId: string) =>
    deps
      .sockets()
      .some(
        ({ account_id, connections }) =>
          account_id === accountId && connections.some(({ state }) => state === 'open'),
      )

  async function mark(accountId: string, sessionVersion: number, refused: boolean) {
    const news = await deps.mark(accountId, sessionVersion, refused).catch((error: unknown) => {
      log.warn({ account_id: accountId, error }, 'not stored whether the sockets are refused')
      return false
    })
    if (!news) return
    if (refused) log.error({ account_id: accountId }, SOCKET_REFUSED_REASON)
    else log.info({ account_id: accountId }, 'the broker takes the socket again')
    deps.onMoved()
  }

  return {
    async refused(accountId, sessionVersion) {
      if (!hasOpenSocket(accountId)) await mark(accountId, sessionVersion, true)
    },
    look(accounts) {
      for (const { accountId, session, socketRefused } of accounts)
        if (session && socketRefused && hasOpenSocket(accountId)) void mark(accountId, session.version, false)
    },
  }
}
