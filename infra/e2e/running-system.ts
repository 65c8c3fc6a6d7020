// One whole system for a test file, on free ports and in a folder of its own; gone afterwards.
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { ApiClient, seed } from '../local/seed.ts'
import { DEMO_USERS, type LocalSystem, type SystemOptions, startSystem } from '../local/system.ts'

const envelope = z.object({ data: z.unknown() })
const ANY_PORT = { worker: 0, stream: 0, ops: 0, simulator: 0, postgres: 0, redis: 0 }

export interface RunningSystem {
  system: LocalSystem
  /** Where the parts keep their state and logs. */
  stateDir: string
  api: ApiClient
  apiKey: string
  /** Everything the parts have logged. */
  logs(): Promise<string>
  fault(kind: string, fields?: Record<string, unknown>): Promise<void>
  /** A request to the simulator's control API, answered by the `data` of its envelope. */
  simulator(method: string, path: string, body?: unknown): Promise<unknown>
  stop(): Promise<void>
}

export async function runSystem(
  simulatorArgs: string[],
  more: Pick<SystemOptions, 'tickRedisUrl'> = {},
): Promise<RunningSystem> {
  const stateDir = await mkdtemp(join(tmpdir(), 'ticker-e2e-'))
  // PostgreSQL runs as a user of its own when the tests run as root.
  await chmod(stateDir, 0o755)
  const remove = () => rm(stateDir, { recursive: true, force: true })
  try {
    const system = await startSystem({
      stateDir,
      ports: ANY_PORT,
      seed: 1,
      instruments: [],
      simulatorArgs,
      persistent: false,
      restartAfterMs: undefined,
      report: () => {},
      ...more,
    })
    const stop = async () => {
      await system.stop()
      await remove()
    }
    try {
      return { ...(await seeded(system, stateDir)), stop }
    } catch (error) {
      await stop()
      throw error
    }
  } catch (error) {
    await remove()
    throw error
  }
}

async function seeded(system: LocalSystem, stateDir: string): Promise<Omit<RunningSystem, 'stop'>> {
  const apiKey = await seed(system, DEMO_USERS[0], undefined)
  async function simulator(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${system.simulatorUrl}${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`)
    return envelope.parse(await response.json()).data
  }
  return {
    system,
    stateDir,
    apiKey,
    api: new ApiClient(system.controlPlaneUrl, apiKey),
    async logs() {
      const folder = join(stateDir, 'logs')
      const files = await readdir(folder)
      return (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))).join('\n')
    },
    async fault(kind, fields = {}) {
      await simulator('POST', '/sim/faults', { kind, ...fields })
    },
    simulator,
  }
}
