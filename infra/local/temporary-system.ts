// One whole system for a test or a bench, on free ports and in a folder of its own; gone afterwards.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LocalSystem, type SystemOptions, startSystem } from './system.ts'

export interface TemporarySystem {
  system: LocalSystem
  /** Where the parts keep their state and logs. */
  stateDir: string
  stop(): Promise<void>
}

export type TemporaryOptions = Pick<
  SystemOptions,
  'paper' | 'tickRedisUrl' | 'dataPlaneMain' | 'marketHours' | 'workerIn' | 'partEnv'
> & {
  /** The database outlives a stop of PostgreSQL. */
  persistent?: boolean
}

export async function startTemporarySystem(
  simulatorArgs: string[],
  more: TemporaryOptions = {},
): Promise<TemporarySystem> {
  const stateDir = await mkdtemp(join(tmpdir(), 'ticker-temporary-'))
  // PostgreSQL runs as a user of its own when this runs as root.
  await chmod(stateDir, 0o755)
  const remove = () => rm(stateDir, { recursive: true, force: true })
  try {
    const system = await startSystem({
      stateDir,
      ports: { worker: 0, stream: 0, ops: 0, simulator: 0, paper: 0, postgres: 0, redis: 0 },
      seed: 1,
      instruments: [],
      simulatorArgs,
      restartAfterMs: undefined,
      report: () => {},
      ...more,
      persistent: more.persistent ?? false,
    })
    return {
      system,
      stateDir,
      async stop() {
        await system.stop()
        await remove()
      },
    }
  } catch (error) {
    await remove()
    throw error
  }
}
