// One whole system for a test file, its demo account logged in, with what a test looks at and breaks.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { ApiClient, seed, seedPaper } from '../local/seed.ts'
import { DEMO_USERS, type LocalSystem } from '../local/system.ts'
import {
  startTemporarySystem,
  type TemporaryOptions,
  type TemporarySystem,
} from '../local/temporary-system.ts'

const envelope = z.object({ data: z.unknown() })

export interface RunningSystem extends TemporarySystem {
  api: ApiClient
  apiKey: string
  /** Everything the parts have logged. */
  logs(): Promise<string>
  fault(kind: string, fields?: Record<string, unknown>): Promise<void>
  /** A request to the simulator's control API, answered by the `data` of its envelope. */
  simulator(method: string, path: string, body?: unknown): Promise<unknown>
}

export async function runSystem(
  simulatorArgs: string[],
  more: TemporaryOptions = {},
): Promise<RunningSystem> {
  const { system, stateDir, stop } = await startTemporarySystem(simulatorArgs, more)
  try {
    const running = await seeded(system, stateDir)
    if (more.paper) await seedPaper(system, running.apiKey)
    return { ...running, stop }
  } catch (error) {
    await stop()
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
