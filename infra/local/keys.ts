// Secrets of the local system, made once per state folder: credentials sealed by an earlier run must still open.
import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

export const KEYS_FILE = 'keys.json'

const keysSchema = z.object({
  credentialKeys: z.string(),
  ticketKeys: z.string(),
  redisToken: z.string(),
  killToken: z.string(),
})
export type LocalKeys = z.infer<typeof keysSchema>

export async function localKeys(stateDir: string): Promise<LocalKeys> {
  const path = join(stateDir, KEYS_FILE)
  try {
    return keysSchema.parse(JSON.parse(await readFile(path, 'utf8')))
  } catch {
    const ring = () => `dev:${randomBytes(32).toString('base64')}`
    const secret = () => randomBytes(16).toString('hex')
    const keys = { credentialKeys: ring(), ticketKeys: ring(), redisToken: secret(), killToken: secret() }
    await writeFile(path, JSON.stringify(keys, null, 2), { mode: 0o600 })
    return keys
  }
}
