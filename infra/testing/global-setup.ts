// One PostgreSQL and one Redis for the whole `db` project; each test file takes a fresh database (database.ts).
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { freePort } from '../local/free-port.ts'
import { startPostgres } from '../local/postgres.ts'
import { startRedis } from '../local/redis.ts'
import './provided.ts'

export default async function setup(project: TestProject) {
  const folder = await mkdtemp(join(tmpdir(), 'ticker-test-'))
  // Run by root, PostgreSQL is another user and must be able to enter.
  await chmod(folder, 0o755)
  const postgres = await startPostgres({
    directory: join(folder, 'postgres'),
    port: await freePort(),
    persistent: false,
  })
  const redis = await startRedis(await freePort(), (line) => console.log(line))
  project.provide('postgresUrl', postgres.url)
  project.provide('redisUrl', redis.url)
  return async () => {
    await redis.stop()
    await postgres.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
