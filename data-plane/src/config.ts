// The only reader of the environment. Validated at start; a bad value ends the process with a message that says
// what to set, and never repeats a secret.
import { type KeyRing, parseKeyRing } from '@ticker/shared/crypto'
import { isKiteHost } from '@ticker/shared/kite-http'
import { OPTION_TERMS_HELP, type OptionTerms, parseOptionTerms } from '@ticker/shared/option-pricing'
import { z } from 'zod'
import type { CacheBounds } from './history/prune.ts'
import type { MarketHours } from './market-data/market-hours.ts'

export interface Config {
  realm: 'live' | 'sim'
  databaseUrl: string
  databasePoolSize: number
  commandRedisUrl: string
  /** undefined: ticks are not published to Redis. */
  tickRedisUrl: string | undefined
  credentialKeys: KeyRing
  ticketKeys: KeyRing
  kiteSocketRoot: string
  kiteApiRoot: string
  /** Of the paper broker, where paper accounts trade; undefined: there is none. */
  paperApiRoot: string | undefined
  /** Where a halt is kept that a restart must not forget. */
  stateDir: string | undefined
  /** Of the kill token, hex; undefined: POST /ops/kill is closed. */
  killTokenSha256: string | undefined
  streamHost: string
  streamPort: number
  /** How clients reach the streams, without a path; undefined: ws://127.0.0.1:{port}. */
  publicStreamUrl: string | undefined
  /** Accounts of this group are served: those whose apps know the address that this process leaves through. */
  egressGroup: string
  /** A reverse proxy of ours is the only way in: the last address it added to X-Forwarded-For is the client's. */
  trustProxy: boolean
  opsHost: string
  opsPort: number
  logLevel: string
  jsonTicks: JsonTicks
  marketHours: MarketHours
  optionTerms: OptionTerms
  historyCache: CacheBounds
  /** Webhooks over plain http and to addresses that are not public. */
  webhookPrivateTargets: 'allow' | 'refuse'
}

/** Instruments that are also published as JSON, one channel each. */
export type JsonTicks = 'all' | ReadonlySet<number>

/** Encrypted, on the broker's port: the session's token goes there. */
const LIVE_ROOTS = new Set(['https://api.kite.trade', 'wss://ws.kite.trade'])

const KEYS_HELP = 'must be "id:base64" of 32 random bytes (openssl rand -base64 32), as in the Worker'
const port = z.coerce.number().int().min(0).max(65_535)
const url = (protocols: string[]) =>
  z
    .string(`must be a ${protocols.join(' or ')} URL`)
    .refine(
      (text) => URL.canParse(text) && protocols.includes(new URL(text).protocol),
      `must be a ${protocols.join(' or ')} URL`,
    )
    .transform((text) => text.replace(/\/$/, ''))

const environment = z.object({
  REALM: z.enum(['live', 'sim'], 'must be "live" or "sim"'),
  DATABASE_DIRECT_URL: url(['postgres:', 'postgresql:']),
  DATABASE_POOL_SIZE: z.coerce.number().int().min(4).max(100).default(10),
  COMMAND_REDIS_URL: url(['redis:', 'rediss:']),
  TICK_REDIS_URL: url(['redis:', 'rediss:']).optional(),
  CREDENTIAL_KEYS: z.string(KEYS_HELP),
  TICKET_KEYS: z.string(KEYS_HELP),
  KITE_WS_ROOT: url(['wss:', 'ws:']).default('wss://ws.kite.trade'),
  KITE_API_ROOT: url(['https:', 'http:']).default('https://api.kite.trade'),
  PAPER_API_ROOT: url(['https:', 'http:']).optional(),
  STATE_DIR: z.string().optional(),
  KILL_TOKEN_SHA256: z
    .string()
    .regex(/^[0-9a-f]{64}$/i, 'must be the hex SHA-256 of the kill token (printf %s TOKEN | sha256sum)')
    .optional(),
  STREAM_HOST: z.string().default('0.0.0.0'),
  STREAM_PORT: port.default(8080),
  PUBLIC_STREAM_URL: url(['wss:', 'ws:']).optional(),
  EGRESS_GROUP: z
    .string()
    .regex(/^[a-z0-9_-]{1,50}$/, 'must be 1-50 of a-z, 0-9, _ and -')
    .default('default'),
  TRUST_PROXY: z.enum(['0', '1'], 'must be "0" or "1"').default('0'),
  OPS_HOST: z.string().default('127.0.0.1'),
  OPS_PORT: port.default(9090),
  LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
  MARKET_HOURS: z.enum(['calendar', 'always'], 'must be "calendar" or "always"').default('calendar'),
  JSON_TICKS: z
    .string()
    .regex(/^(all|\d+(,\d+)*)$/, 'must be "all" or instrument tokens separated by commas')
    .optional(),
  OPTION_TERMS: z.string().default('{}'),
  HISTORY_KEEP_DAYS: z.coerce.number().int().min(1).max(10_000).default(400),
  WEBHOOK_PRIVATE_TARGETS: z.enum(['allow', 'refuse'], 'must be "allow" or "refuse"').default('refuse'),
  HISTORY_CACHE_DAYS: z.coerce.number().int().min(1_000).max(100_000_000).default(500_000),
})

export class ConfigInvalid extends Error {}

export function readConfig(env: Record<string, string | undefined>): Config {
  // An empty variable in a compose file means "not set".
  const present = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = environment.safeParse(present)
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => {
      const name = String(issue.path[0])
      return `${name} ${present[name] === undefined ? 'is not set; it ' : ''}${issue.message}`
    })
    throw new ConfigInvalid(`Configuration:\n  ${problems.join('\n  ')}`)
  }
  const values = parsed.data
  for (const name of ['KITE_WS_ROOT', 'KITE_API_ROOT'] as const) {
    if (values.REALM === 'live' && !LIVE_ROOTS.has(values[name])) {
      throw new ConfigInvalid(
        `Configuration:\n  ${name} of a live realm must be the broker's own (${[...LIVE_ROOTS].join(', ')})`,
      )
    }
  }
  if (values.PAPER_API_ROOT !== undefined && isKiteHost(values.PAPER_API_ROOT))
    throw new ConfigInvalid(
      'Configuration:\n  PAPER_API_ROOT must not be the broker itself: paper orders would be real',
    )
  if (values.REALM === 'live' && values.WEBHOOK_PRIVATE_TARGETS === 'allow')
    throw new ConfigInvalid('Configuration:\n  WEBHOOK_PRIVATE_TARGETS of a live realm must be "refuse"')
  return {
    realm: values.REALM,
    databaseUrl: values.DATABASE_DIRECT_URL,
    databasePoolSize: values.DATABASE_POOL_SIZE,
    commandRedisUrl: values.COMMAND_REDIS_URL,
    tickRedisUrl: values.TICK_REDIS_URL,
    credentialKeys: keyRing('CREDENTIAL_KEYS', values.CREDENTIAL_KEYS),
    ticketKeys: keyRing('TICKET_KEYS', values.TICKET_KEYS),
    kiteSocketRoot: values.KITE_WS_ROOT,
    kiteApiRoot: values.KITE_API_ROOT,
    stateDir: values.STATE_DIR,
    killTokenSha256: values.KILL_TOKEN_SHA256,
    paperApiRoot: values.PAPER_API_ROOT?.replace(/\/+$/, ''),
    streamHost: values.STREAM_HOST,
    streamPort: values.STREAM_PORT,
    publicStreamUrl: values.PUBLIC_STREAM_URL,
    egressGroup: values.EGRESS_GROUP,
    trustProxy: values.TRUST_PROXY === '1',
    opsHost: values.OPS_HOST,
    opsPort: values.OPS_PORT,
    logLevel: values.LOG_LEVEL,
    marketHours: values.MARKET_HOURS,
    jsonTicks:
      values.JSON_TICKS === 'all'
        ? 'all'
        : new Set((values.JSON_TICKS ?? '').split(',').filter(Boolean).map(Number)),
    optionTerms: readOptionTerms(values.OPTION_TERMS),
    webhookPrivateTargets: values.WEBHOOK_PRIVATE_TARGETS,
    historyCache: { keepDays: values.HISTORY_KEEP_DAYS, daysMax: values.HISTORY_CACHE_DAYS },
  }
}

function readOptionTerms(text: string): OptionTerms {
  const terms = parseOptionTerms(text)
  if (!terms) throw new ConfigInvalid(`Configuration:\n  OPTION_TERMS ${OPTION_TERMS_HELP}`)
  return terms
}

function keyRing(name: string, text: string): KeyRing {
  try {
    return parseKeyRing(name, text)
  } catch (error) {
    throw new ConfigInvalid(`Configuration:\n  ${error instanceof Error ? error.message : name}`)
  }
}
