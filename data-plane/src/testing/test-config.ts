import type { Config } from '../config.ts'
import { testKeys } from './seed-account.ts'

/** A configuration of realm `sim` on free loopback ports; name what the test needs. */
export function testConfig(change: Partial<Config>): Config {
  return {
    realm: 'sim',
    databaseUrl: 'postgres://127.0.0.1:1/none',
    databasePoolSize: 6,
    commandRedisUrl: 'redis://127.0.0.1:1',
    tickRedisUrl: undefined,
    credentialKeys: testKeys,
    ticketKeys: testKeys,
    kiteSocketRoot: 'ws://127.0.0.1:1',
    kiteApiRoot: 'http://127.0.0.1:1',
    paperApiRoot: undefined,
    stateDir: undefined,
    killTokenSha256: undefined,
    streamHost: '127.0.0.1',
    streamPort: 0,
    publicStreamUrl: undefined,
    egressGroup: 'default',
    trustProxy: false,
    opsHost: '127.0.0.1',
    opsPort: 0,
    logLevel: 'silent',
    jsonTicks: new Set(),
    marketHours: 'always',
    optionTerms: new Map(),
    webhookPrivateTargets: 'allow',
    historyCache: { keepDays: 400, daysMax: 500_000 },
    ...change,
  }
}
