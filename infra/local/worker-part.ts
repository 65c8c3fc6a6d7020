// The control plane as a part of the local system: in workerd as in production, or in Node for tests that need no workerd.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BINARIES, childEnv, common, ROOT } from './child.ts'
import { freePort } from './free-port.ts'
import { answersOk } from './http-probes.ts'
import type { LocalKeys } from './keys.ts'
import { type Part, startPart } from './part.ts'
import type { SystemOptions } from './system.ts'

interface WorkerInputs {
  port: number
  keys: LocalKeys
  databaseUrl: string
  neonUrl: string
  upstashUrl: string
  simulatorUrl: string
  paperUrl: string | undefined
}

export async function startWorkerPart(options: SystemOptions, inputs: WorkerInputs): Promise<Part> {
  const envFile = join(options.stateDir, 'worker.env')
  const values = {
    REALM: 'sim',
    DATABASE_URL: inputs.databaseUrl,
    NEON_HTTP_ENDPOINT: inputs.neonUrl,
    UPSTASH_REDIS_REST_URL: inputs.upstashUrl,
    UPSTASH_REDIS_REST_TOKEN: inputs.keys.redisToken,
    CREDENTIAL_KEYS: inputs.keys.credentialKeys,
    TICKET_KEYS: inputs.keys.ticketKeys,
    KITE_API_ROOT: inputs.simulatorUrl,
    KITE_LOGIN_ROOT: `${inputs.simulatorUrl}/connect/login`,
    MARKET_HOURS: options.marketHours ?? 'always',
    ...(inputs.paperUrl && {
      PAPER_API_ROOT: inputs.paperUrl,
      PAPER_LOGIN_ROOT: `${inputs.paperUrl}/connect/login`,
    }),
  }
  await writeFile(
    envFile,
    Object.entries(values)
      .map(([name, value]) => `${name}="${value}"\n`)
      .join(''),
    { mode: 0o600 },
  )
  const part = {
    ...common(options),
    name: 'Worker',
    logFile: join(options.stateDir, 'logs', 'worker.log'),
    ready: answersOk(`http://127.0.0.1:${inputs.port}/healthz`),
  }
  if (options.workerIn === 'node')
    return startPart({
      ...part,
      command: process.execPath,
      args: [join(ROOT, 'infra/local/worker-in-node.ts'), String(inputs.port), envFile],
      env: childEnv(options),
    })
  const inspector = await freePort()
  return startPart({
    ...part,
    command: join(BINARIES, 'wrangler'),
    args: [
      'dev',
      '--port',
      String(inputs.port),
      '--ip',
      '127.0.0.1',
      '--inspector-port',
      String(inspector),
      '--env-file',
      envFile,
      '--persist-to',
      join(options.stateDir, 'wrangler'),
      '--show-interactive-dev-session=false',
      // Below it, what the Worker itself logs is thrown away.
      '--log-level',
      'log',
    ],
    env: {
      ...childEnv(options),
      CLOUDFLARE_CF_FETCH_ENABLED: 'false',
      WRANGLER_SEND_METRICS: 'false',
      CI: 'true',
      NO_COLOR: '1',
    },
    // Wrangler's line for each request holds its whole path, a login link's among them.
    drop: /^\[wrangler:info\]/,
  })
}
