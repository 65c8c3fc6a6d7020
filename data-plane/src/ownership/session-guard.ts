// What a refused broker socket means. A 403 alone does not tell a dead token from a broker in trouble or an app
// without market data; a profile read does. Dead: the session is marked so. Alive: the socket is tried again every
// minute, because nobody will log in anew for a session that lives; until one opens, its instruments go to others.
import { isDeadSession, type KiteOutcome } from '@ticker/shared/kite-http'
import { Counter, type Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import type { OwnedAccount } from './owned-account.ts'

const RETRY_MS = 60_000

export interface SessionGuard {
  /** The broker refuses the sockets of this session version. */
  refused(accountId: string, sessionVersion: number): void
  run(signal: AbortSignal): Promise<void>
}

export function createSessionGuard(deps: {
  clock: Clock
  random: () => number
  log: Log
  registry: Registry
  account(accountId: string): OwnedAccount | undefined
  readProfile(apiKey: string, session: NonNullable<OwnedAccount['session']>): Promise<KiteOutcome<unknown>>
  onDead(accountId: string, sessionVersion: number, reason: string): Promise<void>
  /** The session lives and its sockets are refused: told once for each time they are. */
  onSocketRefused(accountId: string, sessionVersion: number): Promise<void>
  /** Opens the sockets of the account again. */
  retry(accountId: string): void
}): SessionGuard {
  const { clock, log } = deps
  const checks = new Counter({
    name: 'ticker_session_checks_total',
    help: 'Profile reads after the broker refused a socket, by what they said of the session',
    labelNames: ['outcome'],
    registers: [deps.registry],
  })
  /** Refused sessions that are not known to be dead, by account. */
  const refused = new Map<string, number>()

  async function check(accountId: string, version: number): Promise<'alive' | 'dead' | 'unclear' | 'gone'> {
    const account = deps.account(accountId)
    if (account?.session?.version !== version) return 'gone'
    const outcome = await deps.readProfile(account.apiKey, account.session)
    if (outcome.ok) {
      await deps.onSocketRefused(accountId, version)
      return 'alive'
    }
    if (!isDeadSession(outcome.failure)) return 'unclear'
    await deps.onDead(accountId, version, 'the broker ended this session')
    return 'dead'
  }

  async function checked(accountId: string, version: number) {
    const outcome = await check(accountId, version).catch((error: unknown) => {
      log.warn({ account_id: accountId, error }, 'session not checked')
      return 'unclear' as const
    })
    checks.inc({ outcome })
    if (outcome === 'dead' || outcome === 'gone') refused.delete(accountId)
    return outcome
  }

  return {
    refused(accountId, version) {
      refused.set(accountId, version)
      void checked(accountId, version)
    },
    async run(signal) {
      while (!signal.aborted) {
        await clock.sleep(RETRY_MS * (0.9 + 0.2 * deps.random()), signal)
        for (const [accountId, version] of [...refused]) {
          if (signal.aborted) return
          if ((await checked(accountId, version)) !== 'alive') continue
          refused.delete(accountId)
          deps.retry(accountId)
        }
      }
    },
  }
}
