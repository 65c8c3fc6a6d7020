import { readFile, writeFile } from 'node:fs/promises'
import { z } from 'zod'

/** `.dev/env.json`: what a script needs to use the running system. */
export const localEnv = z.object({
  controlPlaneUrl: z.string(),
  dataPlaneUrl: z.string(),
  opsUrl: z.string(),
  consoleUrl: z.string(),
  simulatorUrl: z.string(),
  databaseUrl: z.string(),
  commandRedisUrl: z.string(),
  tickRedisUrl: z.string(),
  apiKey: z.string(),
  accountId: z.string(),
  kiteSocketUrl: z.string(),
  kiteRestUrl: z.string(),
  kiteApiKey: z.string(),
  kiteAccessToken: z.string(),
  killToken: z.string(),
})
export type LocalEnv = z.infer<typeof localEnv>

export async function writeEnvFile(path: string, env: LocalEnv): Promise<void> {
  await writeFile(path, `${JSON.stringify(env, null, 2)}\n`, { mode: 0o600 })
}

/** The file of an earlier run; undefined when there is none, or it is of another shape. */
export async function readEnvFile(path: string): Promise<LocalEnv | undefined> {
  try {
    return localEnv.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    return undefined
  }
}
