// The broker's dump, with the session of any account: it is the same for all. An account whose fetch failed is passed over
// for a while, longer each time, so that the next one is tried at once and the broker is not asked again and again.
import { authorization, type Credentials, KITE_VERSION } from '@ticker/shared/kite-http'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'

const PAUSE_MIN_MS = 2_000
const PAUSE_MAX_MS = 300_000
const FETCH_TIMEOUT_MS = 120_000
/** 150,000 rows are some 12 MB. */
const DUMP_MAX_BYTES = 128 * 1024 * 1024

export interface DumpAccount {
  accountId: string
  credentials: Credentials
}

/** `message` is ours: whoever asked for a refresh reads it. */
export class DumpNotFetched extends Error {}

export interface DumpSource {
  /** The whole file, with the first account that has not failed, else the one that may be tried soonest. */
  fetch(): Promise<Uint8Array[]>
  /** Until an account may be tried (again); 0: now. */
  waitMs(): number
  /** Whether an account is there that has not failed since the dump was last fetched. */
  hasUntried(): boolean
}

interface Pause {
  failed: number
  untilMs: number
}
/** Where nobody is logged in the broker is asked without a session. Account ids are never empty. */
const NOBODY = { accountId: '', credentials: undefined }

export function createDumpSource(deps: {
  root: string
  fetch: typeof fetch
  clock: Clock
  log: Log
  /** Owned and logged in. */
  accounts(): readonly DumpAccount[]
}): DumpSource {
  const { clock, log } = deps
  let pauses = new Map<string, Pause>()

  const waitOf = (accountId: string) =>
    Math.max(0, (pauses.get(accountId)?.untilMs ?? 0) - clock.monotonicMs())

  const isUntried = ({ accountId }: { accountId: string }) => !pauses.has(accountId)

  function next(): { accountId: string; credentials: Credentials | undefined } {
    const accounts = deps.accounts()
    const [first = NOBODY, ...others] = accounts
    return (
      accounts.find(isUntried) ??
      others.reduce((best, each) => (waitOf(each.accountId) < waitOf(best.accountId) ? each : best), first)
    )
  }

  /** What is remembered of accounts that are gone is forgotten. */
  function pause(accountId: string): number {
    const here = new Set([accountId, ...deps.accounts().map((each) => each.accountId)])
    const failed = (pauses.get(accountId)?.failed ?? 0) + 1
    const delayMs = Math.min(PAUSE_MAX_MS, PAUSE_MIN_MS * 2 ** Math.min(failed - 1, 16))
    pauses.set(accountId, { failed, untilMs: clock.monotonicMs() + delayMs })
    pauses = new Map([...pauses].filter(([id]) => here.has(id)))
    return delayMs
  }

  return {
    waitMs: () => waitOf(next().accountId),
    hasUntried: () => deps.accounts().some(isUntried),
    async fetch() {
      const { accountId, credentials } = next()
      try {
        const chunks = await fetchDump(deps.fetch, deps.root, credentials)
        pauses.clear()
        return chunks
      } catch (error) {
        log.warn({ error, account_id: accountId, pause_ms: pause(accountId) }, 'instruments not fetched')
        if (error instanceof DumpNotFetched) throw error
        throw new DumpNotFetched('the broker did not answer, or its answer broke off', { cause: error })
      }
    },
  }
}

async function fetchDump(
  fetcher: typeof fetch,
  root: string,
  credentials: Credentials | undefined,
): Promise<Uint8Array[]> {
  const headers: Record<string, string> = { 'X-Kite-Version': KITE_VERSION }
  if (credentials) headers.Authorization = authorization(credentials)
  const response = await fetcher(`${root}/instruments`, {
    headers,
    signal: AbortSignal.timeout(FETCH_TIMEOUT_MS),
  })
  if (!response.ok || !response.body) throw new DumpNotFetched(`the broker answered ${response.status}`)
  return await download(response.body)
}

/** All of it before any of it is stored: a server may close on a reader that waits for a database. */
async function download(body: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    if (bytes > DUMP_MAX_BYTES) throw new DumpNotFetched(`the dump is larger than ${DUMP_MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return chunks
}
