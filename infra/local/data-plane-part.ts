// The data plane as a part of the local system.
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { MALLOC_ENV, NODE_FLAGS } from '../docker/memory-settings.ts'
import { childEnv, common, ROOT } from './child.ts'
import { answersOk, isUp } from './http-probes.ts'
import type { LocalKeys } from './keys.ts'
import { type Part, startPart } from './part.ts'
import type { SystemOptions } from './system.ts'

interface DataPlaneInputs {
  /** Also of its log and its folder; default: `data plane`. */
  name?: string
  streamPort: number
  opsPort: number
  keys: LocalKeys
  databaseUrl: string
  redisUrl: string
  tickRedisUrl: string
  simulatorUrl: string
  paperUrl: string | undefined
}

export function startDataPlanePart(options: SystemOptions, inputs: DataPlaneInputs): Promise<Part> {
  const { name = 'data plane', keys, simulatorUrl } = inputs
  const folder = name.replaceAll(' ', '-')
  const opsUrl = `http://127.0.0.1:${inputs.opsPort}`
  return startPart({
    ...common(options),
    name,
    command: process.execPath,
    args: [...NODE_FLAGS, options.dataPlaneMain ?? join(ROOT, 'data-plane/src/main.ts')],
    env: {
      ...childEnv(options),
      ...MALLOC_ENV,
      REALM: 'sim',
      DATABASE_DIRECT_URL: inputs.databaseUrl,
      COMMAND_REDIS_URL: inputs.redisUrl,
      TICK_REDIS_URL: inputs.tickRedisUrl,
      CREDENTIAL_KEYS: keys.credentialKeys,
      TICKET_KEYS: keys.ticketKeys,
      KITE_WS_ROOT: simulatorUrl.replace('http', 'ws'),
      KITE_API_ROOT: simulatorUrl,
      PAPER_API_ROOT: inputs.paperUrl,
      MARKET_HOURS: options.marketHours ?? 'always',
      STATE_DIR: join(options.stateDir, folder),
      KILL_TOKEN_SHA256: createHash('sha256').update(keys.killToken).digest('hex'),
      WEBHOOK_PRIVATE_TARGETS: 'allow',
      STREAM_HOST: '127.0.0.1',
      STREAM_PORT: String(inputs.streamPort),
      OPS_PORT: String(inputs.opsPort),
    },
    logFile: join(options.stateDir, 'logs', `${folder}.log`),
    ready: isUp(`${opsUrl}/readyz`),
    // Unready while Redis is away or another one owns the accounts, and right to live on.
    alive: answersOk(`${opsUrl}/healthz`),
  })
}
