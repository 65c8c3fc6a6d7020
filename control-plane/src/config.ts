// The Worker's environment, read once. Every message says what to set; none repeats a value that is secret.
import { type KeyRing, parseKeyRing, Secret } from '@ticker/shared/crypto'
import { isKiteHost } from '@ticker/shared/kite-http'
import { OPTION_TERMS_HELP, type OptionTerms, parseOptionTerms } from '@ticker/shared/option-pricing'
import { z } from 'zod'

export interface Config {
  realm: 'live' | 'sim'
  databaseUrl: Secret
  /** Where Neon's SQL-over-HTTP protocol is spoken; undefined: Neon's own host, from the database URL. */
  neonHttpEndpoint: string | undefined
  redisUrl: string
  redisToken: Secret
  credentialKeys: KeyRing
  ticketKeys: KeyRing
  kiteApiRoot: string
  /** Of the paper broker, where paper accounts trade; undefined: there is none. */
  paper: { apiRoot: string; loginRoot: string } | undefined
  kiteLoginRoot: string
  /** Scheme and host that browsers use; undefined: the request's own. */
  publicUrl: string | undefined
  /** Rates and yields that the greeks of candles are computed with; the data plane has the same. */
  optionTerms: OptionTerms
  /** `always`: the broker is a stand-in that never closes; the data plane has the same. */
  marketHours: 'calendar' | 'always'
}

export class ConfigError extends Error {}

/** A live deployment talks to the broker and to nothing that merely looks like it (ARCHITECTURE rule 6). */
const LIVE_API_HOST = 'api.kite.trade'
const LIVE_LOGIN_HOST = 'kite.zerodha.com'

const httpUrl = (example: string) =>
  z.url({ protocol: /^https?$/, error: `must be an http(s) URL such as ${example}` })
const needed = (what: string) => z.string({ error: `is not set: ${what}` }).min(1, `is empty: ${what}`)

const environment = z.object({
  REALM: z.enum(['live', 'sim'], { error: 'must be "live" or "sim"' }),
  DATABASE_URL: needed('the pooled postgres:// URL').regex(
    /^postgres(ql)?:\/\//,
    'must begin with postgres://',
  ),
  NEON_HTTP_ENDPOINT: httpUrl('http://127.0.0.1:5488/sql').optional(),
  UPSTASH_REDIS_REST_URL: httpUrl('https://name.upstash.io'),
  UPSTASH_REDIS_REST_TOKEN: needed("the Redis database's REST token"),
  CREDENTIAL_KEYS: needed('"id:base64" of 32 random bytes (openssl rand -base64 32)'),
  TICKET_KEYS: needed('"id:base64" of 32 random bytes (openssl rand -base64 32)'),
  KITE_API_ROOT: httpUrl('https://api.kite.trade').default('https://api.kite.trade'),
  KITE_LOGIN_ROOT: httpUrl('https://kite.zerodha.com/connect/login').default(
    'https://kite.zerodha.com/connect/login',
  ),
  PAPER_API_ROOT: httpUrl('http://paper-broker:8100').optional(),
  PAPER_LOGIN_ROOT: httpUrl('https://paper.example.com/connect/login').optional(),
  PUBLIC_URL: httpUrl('https://ticker.example.com').optional(),
  OPTION_TERMS: z.string().default('{}'),
  MARKET_HOURS: z
    .enum(['calendar', 'always'], { error: 'must be "calendar" or "always"' })
    .default('calendar'),
})

/** Throws a ConfigError that lists everything that is wrong at once. */
export function readConfig(env: unknown): Config {
  const parsed = environment.safeParse(env)
  if (!parsed.success) {
    throw new ConfigError(
      parsed.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; '),
    )
  }
  const values = parsed.data
  if (values.REALM === 'live') {
    requireHost('KITE_API_ROOT', values.KITE_API_ROOT, LIVE_API_HOST)
    requireHost('KITE_LOGIN_ROOT', values.KITE_LOGIN_ROOT, LIVE_LOGIN_HOST)
  }
  return {
    realm: values.REALM,
    databaseUrl: new Secret(values.DATABASE_URL),
    neonHttpEndpoint: values.NEON_HTTP_ENDPOINT,
    redisUrl: values.UPSTASH_REDIS_REST_URL,
    redisToken: new Secret(values.UPSTASH_REDIS_REST_TOKEN),
    credentialKeys: readKeys('CREDENTIAL_KEYS', values.CREDENTIAL_KEYS),
    ticketKeys: readKeys('TICKET_KEYS', values.TICKET_KEYS),
    kiteApiRoot: values.KITE_API_ROOT.replace(/\/+$/, ''),
    kiteLoginRoot: values.KITE_LOGIN_ROOT,
    paper: paperBroker(values),
    publicUrl: values.PUBLIC_URL && new URL(values.PUBLIC_URL).origin,
    optionTerms: readOptionTerms(values.OPTION_TERMS),
    marketHours: values.MARKET_HOURS,
  }
}

function paperBroker({
  PAPER_API_ROOT: apiRoot,
  PAPER_LOGIN_ROOT: loginRoot,
}: z.infer<typeof environment>): Config['paper'] {
  if (apiRoot === undefined && loginRoot === undefined) return undefined
  if (apiRoot === undefined || loginRoot === undefined)
    throw new ConfigError('PAPER_API_ROOT and PAPER_LOGIN_ROOT belong together: set both or none')
  if (isKiteHost(apiRoot) || isKiteHost(loginRoot))
    throw new ConfigError(
      'PAPER_API_ROOT and PAPER_LOGIN_ROOT must not be the broker itself: paper orders would be real',
    )
  return { apiRoot: apiRoot.replace(/\/+$/, ''), loginRoot }
}

function readOptionTerms(text: string): OptionTerms {
  const terms = parseOptionTerms(text)
  if (!terms) throw new ConfigError(`OPTION_TERMS ${OPTION_TERMS_HELP}`)
  return terms
}

function requireHost(name: string, url: string, host: string): void {
  const { protocol, host: found } = new URL(url)
  if (protocol !== 'https:' || found !== host) {
    throw new ConfigError(`${name} must be https://${host}… in realm "live"; use REALM=sim for a simulator`)
  }
}

function readKeys(name: string, text: string): KeyRing {
  try {
    return parseKeyRing(name, text)
  } catch (error) {
    throw new ConfigError(error instanceof Error ? error.message : name)
  }
}
