// A database that answers late, says nothing of what it did, goes away, and comes back without its last commits.
import type { IntentState } from '@ticker/shared/domain'
import { emptyState, type ModelState, type RunStatement } from './model-state.ts'
import type { Chance, Scheduler } from './scheduler.ts'

/** Commits of the path that a failover may lose. */
const LOST_COMMITS_MAX = 3

export interface SimDatabase {
  /** `deliver`: brings an answer to the process that asked, if it is there to hear it. */
  runFor(deliver: (answer: () => void) => void): RunStatement
  state(): ModelState
  /** Odds that the connection breaks before a statement's commit, and after it. */
  breaks: number
  /** After each commit that changed an order. */
  onCommit(): void
  /** Away from now on; what it lost shows when it is back. */
  failOver(awayMs: number): void
}

export function createSimDatabase(scheduler: Scheduler, chance: Chance): SimDatabase {
  let state = emptyState()
  let awayUntilMs = 0
  /** Before each of the last commits, oldest first. */
  const before: ModelState[] = []

  function commit<T>(statement: (state: ModelState, nowMs: number) => T): T {
    const copy = copyOf(state)
    const answer = statement(state, scheduler.nowMs())
    if (isSame(copy, state)) return answer
    before.push(copy)
    if (before.length > LOST_COMMITS_MAX) before.shift()
    database.onCommit()
    return answer
  }

  const database: SimDatabase = {
    breaks: 0,
    onCommit: () => {},
    state: () => state,
    runFor: (deliver) => (statement) =>
      new Promise((resolve, reject) => {
        const fail = () => deliver(() => reject(new Error('connection lost')))
        scheduler.after(chance.between(0.2, chance.odds(0.02) ? 3_000 : 6), () => {
          if (scheduler.nowMs() < awayUntilMs || chance.odds(database.breaks)) return fail()
          const answer = commit(statement)
          scheduler.after(chance.between(0.2, 3), () => {
            if (scheduler.nowMs() < awayUntilMs || chance.odds(database.breaks)) return fail()
            deliver(() => resolve(answer))
          })
        })
      }),
    failOver(awayMs) {
      awayUntilMs = scheduler.nowMs() + awayMs
      const lost = Math.floor(chance.between(0, LOST_COMMITS_MAX + 1))
      const older = before.at(-lost)
      if (lost === 0 || !older) return
      // An order that a client was told of is not among what is lost: without its row nothing could be promised.
      for (const row of state.intents.values())
        if (!older.intents.has(row.id)) older.intents.set(row.id, { ...row, ...FRESH })
      state = older
      before.length = 0
    },
  }
  return database
}

const QUEUED: IntentState = 'QUEUED'
const FRESH = {
  ...{ state: QUEUED, attempts: 0, sendingEpoch: undefined, sendingMs: undefined },
  ...{ notBeforeMs: 0 },
}

const copyOf = ({ intents, links, orders, owner, gateReason }: ModelState): ModelState => ({
  intents: new Map([...intents].map(([id, row]) => [id, { ...row }])),
  links: new Map(links),
  orders: new Map(orders),
  owner: { ...owner },
  gateReason,
})

/** In what the path wrote; leases are renewed all the time, and are as old as the rest of what is left. */
const isSame = (a: ModelState, b: ModelState) =>
  a.links.size === b.links.size &&
  a.orders.size === b.orders.size &&
  [...b.intents.values()].every((row) => {
    const other = a.intents.get(row.id)
    return other?.state === row.state && other.attempts === row.attempts
  })
