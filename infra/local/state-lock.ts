// One `pnpm dev` per state folder: two would share a database that allows one server. A claim of a process that has
// ended, however it did, is none.
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { KEYS_FILE } from './keys.ts'
import { findProcess, stillRuns } from './processes.ts'

const FILE = 'running.json'
const claim = z.object({ pid: z.number(), started: z.string() })
type Claim = z.infer<typeof claim>

export class StateInUse extends Error {
  constructor(stateDir: string, pid: number) {
    super(
      `Another "pnpm dev" runs on this state folder: process ${pid}, ${stateDir}. ` +
        `Stop it (Ctrl-C, or: kill ${pid}), or give this one a folder of its own: --state DIR`,
    )
  }
}

/** Throws StateInUse while another process has it. Held until this process ends. */
export function claimState(stateDir: string): void {
  mkdirSync(stateDir, { recursive: true })
  const path = join(stateDir, FILE)
  const claimed = JSON.stringify({ pid: process.pid, started: findProcess(process.pid)?.started ?? '' })
  // A second round when what was found there was left behind.
  for (let round = 0; round < 2; round++) {
    try {
      claimWhole(path, claimed)
      process.on('exit', () => readClaim(path)?.pid === process.pid && rmSync(path, { force: true }))
      return
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      const other = readClaim(path)
      if (other && stillRuns(other)) throw new StateInUse(stateDir, other.pid)
      removeLeft(path)
    }
  }
  throw new Error(`${path} cannot be written: another start is under way`)
}

/** Fails when there is one; never there with half its content. */
function claimWhole(path: string, content: string): void {
  const draft = `${path}.${process.pid}`
  writeFileSync(draft, content)
  try {
    linkSync(draft, path)
  } finally {
    rmSync(draft, { force: true })
  }
}

/** Only what was left behind: another start may have found the same, and its claim be there by now. */
function removeLeft(path: string): void {
  const left = `${path}.${process.pid}`
  try {
    renameSync(path, left)
  } catch {
    // Removed by the other start; whose claim it is now shows in the next round.
    return
  }
  const there = readClaim(left)
  try {
    if (there && stillRuns(there)) linkSync(left, path)
  } finally {
    rmSync(left, { force: true })
  }
}

export class NoState extends Error {
  constructor(stateDir: string) {
    super(
      `--fresh: ${stateDir} holds other things than the state of "pnpm dev", and nothing of it was removed`,
    )
  }
}

/** Everything but the claim. Throws NoState when it was made by somebody else: `--fresh --state ~` must cost nobody his home. */
export function clearState(stateDir: string): void {
  const entries = readdirSync(stateDir).filter((entry) => entry !== FILE)
  // Written at the very start of each run, right after the folder of the logs.
  const isOurs = entries.includes(KEYS_FILE) || entries.every((entry) => entry === 'logs')
  if (!isOurs) throw new NoState(stateDir)
  for (const entry of entries) rmSync(join(stateDir, entry), { recursive: true, force: true })
}

function readClaim(path: string): Claim | undefined {
  try {
    return claim.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}
