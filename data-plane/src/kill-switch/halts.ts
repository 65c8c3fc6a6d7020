// Accounts that this instance has halted by itself: in memory first, then in STATE_DIR/halt.json, then in Postgres, so
// that neither a database that is away nor a restart lets an order out. A start takes the stricter of file and Postgres
// (RELIABILITY orders 11); a person's later word in Postgres ends it.
import { readFileSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Log } from '../operations/log.ts'
import type { ObservedAccount } from '../ownership/instance-store.ts'

const STORE_RETRY_MS = 1_000
/** A look at Postgres that began before the halt was stored may be the next to arrive. */
const LOOKS_UNTIL_RELEASED = 2

const halt = z.object({ account_id: z.string(), reason: z.string(), at: z.string() })
export type Halt = z.infer<typeof halt>
const file = z.object({ halts: z.array(halt) })

export interface HaltStore {
  /** HALTED, and to be swept; what waits to be sent is not to be sent any more. */
  halt(accountIds: readonly string[], reason: string): Promise<void>
}

export interface Halts {
  isHalted(accountId: string): boolean
  list(): Halt[]
  /** In memory when this returns; resolves when the file has it too, or is known not to. */
  add(accountIds: readonly string[], reason: string): Promise<void>
  /** Of each look at Postgres: what a person has released there is released here. */
  look(accounts: readonly ObservedAccount[]): void
  /** Supervised: stores what Postgres does not have yet. */
  run(signal: AbortSignal, isWell?: () => void): Promise<void>
}

interface Entry extends Halt {
  stored: boolean
  /** Seen HALTED in Postgres since, or looked at so often. */
  looks: number
}

export interface HaltsDeps {
  /** undefined: halts do not outlive the process but in Postgres. */
  stateDir: string | undefined
  store: HaltStore
  clock: Clock
  log: Log
}

export function createHalts(deps: HaltsDeps): Halts {
  const { stateDir, store, clock, log } = deps
  const path = stateDir === undefined ? undefined : join(stateDir, 'halt.json')
  const entries = new Map<string, Entry>(
    readHalts(path).map((each) => [each.account_id, { ...each, stored: false, looks: 0 }]),
  )
  let writing: Promise<void> = Promise.resolve()
  let wakeUp = () => {}

  /** One after the other, the last state last. */
  function write(): Promise<void> {
    if (path === undefined || stateDir === undefined) return Promise.resolve()
    writing = writing.then(async () => {
      const text = JSON.stringify({ halts: list() }, null, 2)
      try {
        await mkdir(stateDir, { recursive: true })
        const handle = await open(`${path}.new`, 'w', 0o600)
        await handle.writeFile(text)
        await handle.sync()
        await handle.close()
        await rename(`${path}.new`, path)
      } catch (error) {
        log.error({ error, path }, 'the halt is in memory and not in its file')
      }
    })
    return writing
  }

  const list = (): Halt[] =>
    [...entries.values()].map(({ account_id, reason, at }) => ({ account_id, reason, at }))

  return {
    isHalted: (accountId) => entries.has(accountId),
    list,
    add(accountIds, reason) {
      const at = new Date(clock.nowMs()).toISOString()
      for (const account_id of accountIds)
        entries.set(account_id, { account_id, reason, at, stored: false, looks: 0 })
      log.error({ accounts: accountIds, reason }, 'trading halted')
      wakeUp()
      return write()
    },
    look(accounts) {
      let released = false
      for (const { account_id, own_trading_state } of accounts) {
        const entry = entries.get(account_id)
        if (!entry?.stored) continue
        entry.looks = own_trading_state === 'HALTED' ? LOOKS_UNTIL_RELEASED : entry.looks + 1
        if (own_trading_state === 'HALTED' || entry.looks < LOOKS_UNTIL_RELEASED) continue
        entries.delete(account_id)
        released = true
        log.warn({ account_id }, 'halt released by a person')
      }
      if (released) void write()
    },
    async run(signal, isWell) {
      while (!signal.aborted) {
        const missing = [...entries.values()].filter(({ stored }) => !stored)
        for (const reason of new Set(missing.map((each) => each.reason))) {
          const same = missing.filter((each) => each.reason === reason)
          await store.halt(
            same.map(({ account_id }) => account_id),
            reason,
          )
          for (const each of same) each.stored = true
        }
        isWell?.()
        const woken = new AbortController()
        wakeUp = () => woken.abort()
        await clock.sleep(STORE_RETRY_MS, AbortSignal.any([signal, woken.signal]))
      }
    },
  }
}

/** A file that is there and cannot be read is no reason to trade: the start fails and says what to do. */
function readHalts(path: string | undefined): Halt[] {
  if (path === undefined) return []
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
    throw new Error(`${path} cannot be read, and may say what is halted`, { cause: error })
  }
  try {
    return file.parse(JSON.parse(text)).halts
  } catch (error) {
    throw new Error(`${path} cannot be read: mend it, or remove it if nothing is to be halted`, {
      cause: error,
    })
  }
}
