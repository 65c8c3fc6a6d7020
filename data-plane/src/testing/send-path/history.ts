// One history of faults, whole: orders, two processes, a broker and a database, all from one seed. What it returns is
// what is wrong at its end (RELIABILITY row 25): nothing, if every order was sent at most once and tells the truth.
import type { PlaceOrder } from '@ticker/shared/domain'
import { createScheduler, seededChance } from './scheduler.ts'
import { createSimBroker, type SimBroker } from './sim-broker.ts'
import { createSimDatabase } from './sim-database.ts'
import { type SimProcess, startSimProcess } from './sim-process.ts'

const ORDERS_MAX = 4
const FAULTS_BEGIN_UNTIL_MS = 15_000
const FAULTS_UNTIL_MS = 25_000
/** After the faults: what was shown late is shown, and what is in doubt was looked for often enough. */
const ENDS_MS = 210_000
const DEADLINE_MS_MAX = 30_000
const ENDED = new Set(['ACCEPTED', 'REJECTED', 'EXPIRED', 'UNKNOWN'])

export const REQUEST: PlaceOrder = {
  ...{ account_id: 'desk', variety: 'regular', exchange: 'NSE', tradingsymbol: 'INFY', quantity: 1 },
  ...{ transaction_type: 'BUY', product: 'CNC', order_type: 'LIMIT', price: 1_500, validity: 'DAY' },
  expires_in_s: 30,
}

export interface History {
  wrong: string[]
  /** So that a test can tell that its faults happen. */
  states: Record<string, number>
  writes: number
}

export async function runHistory(seed: number): Promise<History> {
  const chance = seededChance(seed)
  const scheduler = createScheduler()
  const losesCommits = chance.odds(0.5)
  // A claim that the database lost is known to the process that made it, or else by the order in the book: not both
  // may be missing.
  const isAlone = losesCommits && chance.odds(0.5)
  const broker = createSimBroker(scheduler, chance, losesCommits && !isAlone)
  const database = createSimDatabase(scheduler, chance)
  const skew = () => (chance.odds(0.5) ? 0 : chance.between(-3_000, 3_000))
  let instances = 0
  const start = () => startSimProcess(`p${++instances}`, { scheduler, database, broker }, skew())
  const processes: SimProcess[] = isAlone ? [start()] : [start(), start()]
  database.breaks = chance.odds(0.5) ? 0.03 : 0

  const orders = Math.ceil(chance.between(0, ORDERS_MAX))
  for (let index = 1; index <= orders; index += 1)
    scheduler.at(chance.between(0, 12_000), () => addIntent(`i${index}`))
  const faults = Math.floor(chance.between(0, 4))
  let struckTimes = 0
  for (let fault = 0; fault < faults; fault += 1)
    scheduler.at(chance.between(500, FAULTS_BEGIN_UNTIL_MS), strike)
  // Most of a history nothing happens: between a claim and what becomes of it is where it matters.
  database.onCommit = () => {
    if (chance.odds(0.2)) scheduler.after(chance.between(0, chance.odds(0.5) ? 15 : 8_000), strike)
  }

  const strangers: string[] = []
  broker.onWrite = (instanceId) => {
    const { owner } = database.state()
    const isOwner = owner.instanceId === instanceId && owner.leaseUntilMs > scheduler.nowMs()
    // What a database that lost commits says of leases is older than what its owner was told.
    if (!isOwner && !losesCommits) strangers.push(`${instanceId} wrote without a lease`)
  }

  function addIntent(id: string) {
    const nowMs = scheduler.nowMs()
    database.state().intents.set(id, {
      ...{ id, tag: `tag${id}`, request: REQUEST, state: 'QUEUED', createdMs: nowMs },
      ...{
        deadlineMs: nowMs + chance.between(3_000, DEADLINE_MS_MAX),
        notBeforeMs: 0,
        attempts: 0,
        nextReadMs: 0,
        reads: 0,
      },
      ...{ sendingEpoch: undefined, sendingMs: undefined, brokerOrderId: undefined },
    })
  }

  function strike() {
    if (struckTimes >= faults || scheduler.nowMs() > FAULTS_BEGIN_UNTIL_MS) return
    struckTimes += 1
    const owner = processes.findIndex(({ instanceId }) => instanceId === database.state().owner.instanceId)
    const which = owner >= 0 && chance.odds(0.8) ? owner : Math.floor(chance.between(0, 2))
    const struck = processes[which]
    const kind = isAlone ? chance.between(0.6, 1) : chance.next()
    if (kind < 0.45) {
      struck?.kill()
      if (losesCommits && chance.odds(0.5)) loseDatabase()
      // Its successor is a new one, sooner or later than its lease ends.
      scheduler.after(chance.between(300, 15_000), () => {
        processes[which] = start()
      })
    } else if (kind < 0.65) struck?.pause(chance.between(100, 30_000))
    else if (kind < 0.75) struck?.jumpWall(chance.between(-5_000, 5_000))
    else if (losesCommits) loseDatabase()
  }

  function loseDatabase() {
    database.failOver(chance.between(100, 8_000))
    for (const each of processes) each.databaseLost()
  }

  await scheduler.runUntil(FAULTS_UNTIL_MS)
  database.breaks = 0
  broker.calm()
  await scheduler.runUntil(ENDS_MS)
  for (const each of processes) each.kill()
  const { wrong, states } = judge(database.state().intents.values(), orders, broker)
  return { wrong: [...strangers, ...wrong], states, writes: broker.writes.length }
}

function judge(
  intents: Iterable<{ id: string; tag: string; state: string }>,
  orders: number,
  broker: SimBroker,
): Pick<History, 'wrong' | 'states'> {
  const wrong: string[] = []
  const states: Record<string, number> = {}
  let found = 0
  for (const { id, tag, state } of intents) {
    found += 1
    states[state] = (states[state] ?? 0) + 1
    const placed = broker.placed.filter((each) => each.tag === tag).length
    if (placed > 1) wrong.push(`${id} is ${placed} orders at the broker`)
    if (!ENDED.has(state)) wrong.push(`${id} is still ${state}`)
    if (placed === 1 && state !== 'ACCEPTED') wrong.push(`${id} is at the broker and ${state}`)
    if (placed === 0 && state === 'ACCEPTED') wrong.push(`${id} is ACCEPTED and not at the broker`)
    if (state === 'REJECTED' && !broker.refusedTags.has(tag)) wrong.push(`${id} is REJECTED by nobody`)
  }
  if (found !== orders) wrong.push(`${orders - found} intents are lost`)
  return { wrong, states }
}
