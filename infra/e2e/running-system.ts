// One whole system for a test file, on free ports and in a folder of its own; gone afterwards.
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiClient, seed } from '../local/seed.ts'
import { DEMO_USERS, type LocalSystem, startSystem } from '../local/system.ts'

const ANY_PORT = { worker: 0, stream: 0, ops: 0, simulator: 0, postgres: 0, redis: 0 }

export interface RunningSystem {
  system: LocalSystem
  api: ApiClient
  apiKey: string
  /** Everything the parts have logged. */
  logs(): Promise<string>
  fault(kind: string, fields?: Record<string, unknown>): Promise<void>
  stop(): Promise<void>
}

export async function runSystem(simulatorArgs: string[]): Promise<RunningSystem> {
  const stateDir = await mkdtemp(join(tmpdir(), 'ticker-e2e-'))
  // PostgreSQL runs as a user of its own when the tests run as root.
  await chmod(stateDir, 0o755)
  const system = await startSystem({
    stateDir,
    ports: ANY_PORT,
    seed: 1,
    instruments: [],
    simulatorArgs,
    persistent: false,
    restartAfterMs: undefined,
    report: () => {},
  })
  const apiKey = await seed(system, DEMO_USERS[0], undefined)
  return {
    system,
    apiKey,
    api: new ApiClient(system.controlPlaneUrl, apiKey),
    async logs() {
      const folder = join(stateDir, 'logs')
      const files = await readdir(folder)
      return (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))).join('\n')
    },
    async fault(kind, fields = {}) {
      const response = await fetch(`${system.simulatorUrl}/sim/faults`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ kind, ...fields }),
      })
      if (!response.ok) throw new Error(await response.text())
    },
    async stop() {
      await system.stop()
      await rm(stateDir, { recursive: true, force: true })
    },
  }
}
