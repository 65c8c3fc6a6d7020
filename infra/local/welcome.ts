import type { LocalEnv } from './env-file.ts'

interface Extras {
  second: { user_id: string; api_key: string; api_secret: string }
  /** An account at the paper broker. */
  paper: string | undefined
  logs: string
  envPath: string
  pids: Record<string, number>
}

/** The table printed when the system is ready. */
export function welcome(env: LocalEnv, extras: Extras): string {
  const rows: [string, string][] = [
    ['console', env.consoleUrl],
    ['API docs', `${env.controlPlaneUrl}/docs/api/`],
    ['control plane', env.controlPlaneUrl],
    ['streams', `${env.dataPlaneUrl}/v1/stream`],
    ['Kite socket root', env.kiteSocketUrl],
    ['Kite REST root', env.kiteRestUrl],
    ['metrics, health', `${env.opsUrl}/metrics  /readyz`],
    ['simulator', env.simulatorUrl],
    ['Postgres', env.databaseUrl],
    ['Redis', env.tickRedisUrl],
    ['API key', env.apiKey],
    ['demo account', `${env.accountId} (logged in)`],
    ...(extras.paper
      ? ([['paper account', `${extras.paper} (logged in)`]] satisfies [string, string][])
      : []),
    [
      'account for you',
      `api_key ${extras.second.api_key}, api_secret ${extras.second.api_secret}, user ${extras.second.user_id}`,
    ],
    [
      'process ids',
      Object.entries(extras.pids)
        .map(([name, pid]) => `${name} ${pid}`)
        .join(', '),
    ],
    ['logs', extras.logs],
    ['all of this', extras.envPath],
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const line = '─'.repeat(width + 60)
  return [
    line,
    ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    line,
    '  Everything here is SIMULATED. Ctrl-C stops it all.',
    line,
  ].join('\n')
}
