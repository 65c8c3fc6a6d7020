// The kill switch's own door, on the private port: no database, no Redis, no session of anybody is needed to pull it. Of
// its token only the SHA-256 is configured.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Clock } from '../clock.ts'
import type { SweepProgress } from '../orders/sweep.ts'
import type { Halt, Halts } from './halts.ts'

const REASON_MAX = 200
const BODY_BYTES_MAX = 4_096
const REASON_MS = 500

export interface KillStatus {
  halts: Halt[]
  sweeps: SweepProgress[]
}

export interface OpsAnswer {
  status: number
  body: unknown
}

export interface OpsKillDeps {
  /** Hex; undefined: the door is closed. */
  tokenSha256: string | undefined
  clock: Pick<Clock, 'sleep'>
  halts: Halts
  accountIds(): string[]
  /** Of all of them; returns at once. */
  sweep(): void
  sweeps(): SweepProgress[]
}

export interface OpsKill {
  pull(request: IncomingMessage): Promise<OpsAnswer>
  status(request: IncomingMessage): OpsAnswer
}

const NOT_CONFIGURED = {
  status: 503,
  body: { code: 'kill_not_configured', title: 'KILL_TOKEN_SHA256 is not set.' },
}
const UNAUTHORIZED = {
  status: 401,
  body: { code: 'unauthorized', title: 'Authorization: Bearer the kill token.' },
}

export function createOpsKill(deps: OpsKillDeps): OpsKill {
  const { tokenSha256, halts } = deps
  const expected = tokenSha256 === undefined ? undefined : Buffer.from(tokenSha256, 'hex')

  function refusal(request: IncomingMessage): OpsAnswer | undefined {
    if (!expected) return NOT_CONFIGURED
    const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    return timingSafeEqual(createHash('sha256').update(given).digest(), expected) ? undefined : UNAUTHORIZED
  }

  const view = (): KillStatus => ({ halts: halts.list(), sweeps: deps.sweeps() })

  return {
    async pull(request) {
      const refused = refusal(request)
      if (refused) return refused
      const accountIds = deps.accountIds()
      let written = halts.add(accountIds, 'The kill switch was pulled.')
      deps.sweep()
      // What is said about it must not hold it back.
      const reason = await Promise.race([
        reasonOf(request),
        deps.clock.sleep(REASON_MS).then(() => undefined),
      ])
      if (reason !== undefined) written = halts.add(accountIds, reason)
      await written
      return { status: 202, body: view() }
    },
    status: (request) => refusal(request) ?? { status: 200, body: view() },
  }
}

/** `{"reason": "…"}`; anything else is no reason not to halt. */
async function reasonOf(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  try {
    for await (const chunk of request) {
      bytes += chunk.length
      if (bytes > BODY_BYTES_MAX) return undefined
      chunks.push(chunk)
    }
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    const reason = typeof body === 'object' && body !== null && 'reason' in body ? body.reason : undefined
    return typeof reason === 'string' && reason.trim() !== '' ? reason.slice(0, REASON_MAX) : undefined
  } catch {
    return undefined
  }
}
