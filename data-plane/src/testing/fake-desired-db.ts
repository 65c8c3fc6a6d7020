// The desired state as a database that a test changes by hand answers for it; says what was read of it.
import type { Queries } from '../market-data/desired.ts'

interface Stored {
  token: number
  mode: 'ltp' | 'quote' | 'full'
}

export interface FakeDesiredDb extends Queries {
  /** What was read, in order: versions, instruments, accounts, ladders, all, changes. */
  reads: string[]
  count(read: string): number
  put(token: number, mode?: Stored['mode']): void
  remove(token: number): void
  /** As a writer that keeps no log of changes. */
  putUnlogged(token: number): void
  moveRegistry(): void
  moveAccounts(): void
  /** Every query waits until the returned function is called. */
  hold(): () => void
  /** The next read of this kind fails. */
  fail(read: string): void
  /** Called with each read before it is answered. */
  onRead: (read: string) => void
}

const KINDS: readonly [text: string, read: string][] = [
  ['ticker.fleet f', 'versions'],
  ['tradingsymbol, segment', 'instruments'],
  ['count(*) as versions', 'size'],
  ['ticker.subscription_changes', 'changes'],
  ['ticker.subscriptions', 'all'],
  ['ticker.strike_ladders', 'ladders'],
  ['ticker.accounts', 'accounts'],
]

export function fakeDesiredDb(tokens: readonly number[]): FakeDesiredDb {
  const stored = new Map<number, Stored>()
  const changes = new Map<number, number>()
  const versions = { subscriptions: 1, instruments: 1, accounts: 1, ladders: 1 }
  const failing = new Set<string>()
  let held: Promise<void> | undefined

  const rowOf = (token: number) => ({
    ...{ owner: 'desk', source: 'api', account_id: null, instrument_token: token },
    ...{ exchange: 'NSE', tradingsymbol: `S${token}` },
    mode: stored.get(token)?.mode ?? null,
  })
  const between = (from: number, to: number) =>
    [...changes].filter(([version]) => version > from && version <= to).map(([, token]) => token)

  const answers: Record<string, (values: number[]) => unknown[]> = {
    versions: () => [{ ...versions, accounts: `${versions.accounts}`, ladders: `${versions.ladders}` }],
    instruments: () =>
      tokens.map((token) => [token, 'NSE', `S${token}`, 'NSE', 'COMPANY', null, 0, 0.05, 1, 'EQ']),
    size: ([from = 0, to = 0]) => [
      { versions: between(from, to).length, instruments: between(from, to).length },
    ],
    changes: ([from = 0, to = 0]) => [...new Set(between(from, to))].map(rowOf),
    all: () => [...stored.keys()].map(rowOf),
    ladders: () => [],
    accounts: () => [{ id: 'desk1', owner: 'desk', capacity: 9_000, active: true, session_active: true }],
  }

  function change(token: number, next: Stored | undefined) {
    if (next) stored.set(token, next)
    else stored.delete(token)
    versions.subscriptions += 1
    changes.set(versions.subscriptions, token)
  }

  const db: FakeDesiredDb = {
    reads: [],
    onRead: () => {},
    count: (read) => db.reads.filter((each) => each === read).length,
    put: (token, mode = 'full') => change(token, { token, mode }),
    remove: (token) => change(token, undefined),
    putUnlogged(token) {
      stored.set(token, { token, mode: 'full' })
      versions.subscriptions += 1
    },
    moveRegistry() {
      versions.instruments += 1
    },
    moveAccounts() {
      versions.accounts += 1
    },
    hold() {
      const gate = Promise.withResolvers<void>()
      held = gate.promise
      return gate.resolve
    },
    fail: (read) => void failing.add(read),
    async query(statement, values = []) {
      const text = typeof statement === 'string' ? statement : statement.text
      const read = KINDS.find(([part]) => text.includes(part))?.[1] ?? text
      db.reads.push(read)
      db.onRead(read)
      await held
      if (failing.delete(read)) throw new Error(`${read} failed`)
      const rows = answers[read]?.(values.map(Number)) ?? []
      return { rows, rowCount: rows.length }
    },
  }
  return db
}
