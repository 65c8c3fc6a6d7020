// The whole system on this machine: PostgreSQL, Redis, both bridges, the simulator, the Worker in workerd and the
// data plane, started in order and stopped in reverse. `dev.ts` runs it for people, the end-to-end tests for proof.
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { migrateDatabase } from '@ticker/shared/db/migrate'
import { buildConsole } from './build-console.ts'
import { childEnv, common, ROOT } from './child.ts'
import { startDataPlanePart } from './data-plane-part.ts'
import { freePort } from './free-port.ts'
import { answersOk } from './http-probes.ts'
import { localKeys } from './keys.ts'
import { startNeonBridge } from './neon-bridge.ts'
import type { Ports } from './options.ts'
import { startPaperBroker } from './paper-broker.ts'
import { type Part, startPart } from './part.ts'
import { createDatabase, postgresAnswers, postgresUrl } from './postgres-client.ts'
import { redisAnswers, redisCommand } from './redis.ts'
import { startUpstashBridge } from './upstash-bridge.ts'
import { within } from './within.ts'
import { startWorkerPart } from './worker-part.ts'

const DATABASE = 'ticker'
/** More than a part needs that does not hear SIGTERM. One that hangs must not keep the others running. */
const STOP_MS_MAX = 15_000

/** Broker users the simulator starts with: the first is logged in at start, the second is for you to log in. */
export const DEMO_USERS = [
  { user_id: 'AB1234', user_name: 'Demo Desk', api_key: 'demoapikey', api_secret: 'demoapisecret' },
  { user_id: 'CD5678', user_name: 'Second Desk', api_key: 'secondapikey', api_secret: 'secondapisecret' },
] as const

/** So that a first look at a portfolio finds something. */
const DEMO_HOLDINGS = [
  { exchange: 'NSE', tradingsymbol: 'TCS', quantity: 10, average_price: 2_950.5 },
  { exchange: 'NSE', tradingsymbol: 'RELIANCE', quantity: 25, average_price: 1_310.25 },
  { exchange: 'NSE', tradingsymbol: 'ITC', quantity: 40, average_price: 402.1, needs_authorisation: true },
]

const DEMO_FUNDS = [
  {
    ...{ tradingsymbol: 'INF174K01LS2', fund: 'Kotak Flexicap Fund - Direct Plan', quantity: 382.488 },
    ...{ average_price: 78.4, last_price: 84.7, sip_amount: 2_000 },
  },
]

export interface SystemOptions {
  stateDir: string
  ports: Ports
  seed: number
  instruments: string[]
  /** Extra arguments of the simulator. */
  simulatorArgs?: string[]
  /** There is to be a paper broker: `startPaper` starts it. */
  paper?: boolean
  /** Keep the database for the next start. */
  persistent: boolean
  /** Parts that end unexpectedly are started again after this; undefined: they stay down (tests). */
  restartAfterMs: number | undefined
  /** What is started as the data plane; default: its source. */
  dataPlaneMain?: string
  /** What the data plane takes for the hours of the market; default: always, as the simulator does. */
  marketHours?: 'always' | 'calendar'
  /** What the Worker runs in; default: workerd, as in production. */
  workerIn?: 'workerd' | 'node'
  /** More of the environment of each part. */
  partEnv?: Record<string, string>
  /** What the data plane is told of the Redis for ticks; default: where it is. For tests that put something between. */
  tickRedisUrl?(redisUrl: string): Promise<string>
  /** The simulator was started again by itself: it has forgotten its sessions, orders and faults. */
  onSimulatorBack?(): void
  /** Aborted: what is being started is given up, and the start fails. */
  signal?: AbortSignal
  report(line: string): void
}

export interface LocalSystem {
  controlPlaneUrl: string
  dataPlaneUrl: string
  opsUrl: string
  simulatorUrl: string
  databaseUrl: string
  redisUrl: string
  worker: Part
  dataPlane: Part
  simulator: Part
  redis: Part
  postgres: Part
  /** Another one beside the first, which takes over what that has let go. */
  startSecondDataPlane(): Promise<Part>
  /** Of POST /ops/kill. */
  killToken: string
  /** The paper broker of a system that is to have one, at the prices of this account. */
  startPaper(apiKey: string, accountId: string, onBack?: () => void): Promise<Part>
  stop(): Promise<void>
}

export async function startSystem(options: SystemOptions): Promise<LocalSystem> {
  const { report, stateDir } = options
  await mkdir(join(stateDir, 'logs'), { recursive: true })
  const stops: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const each of stops.splice(0).reverse())
      await within(STOP_MS_MAX, each()).catch((error: unknown) => report(`while stopping: ${error}`))
  }
  try {
    return { ...(await startParts(options, stops)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startParts(
  options: SystemOptions,
  stops: (() => Promise<unknown>)[],
): Promise<Omit<LocalSystem, 'stop'>> {
  const { report, stateDir } = options
  const keys = await localKeys(stateDir)
  const ports = await freePorts(options.ports)

  report('PostgreSQL …')
  const consoleBuilt = buildConsole(ROOT, report)
  const postgres = await startDatabase(options, ports.postgres)
  stops.push(postgres.stop)
  const databaseUrl = postgresUrl(ports.postgres, DATABASE)
  await createDatabase(ports.postgres, DATABASE)
  await migrateDatabase(databaseUrl, 'sim')
  await consoleBuilt
  report('Redis …')
  const redis = await startRedisPart(options, ports.redis)
  stops.push(redis.stop)
  const redisUrl = `redis://127.0.0.1:${ports.redis}`

  report('bridges and simulator …')
  const neon = await startNeonBridge({ port: 0, postgresUrl: postgresUrl(ports.postgres) })
  stops.push(neon.close)
  const upstash = await startUpstashBridge({ port: 0, redisUrl, token: keys.redisToken })
  stops.push(upstash.close)
  const simulator = await startSimulatorPart(options, ports)
  stops.push(simulator.stop)
  const simulatorUrl = `http://127.0.0.1:${ports.simulator}`
  const controlPlaneUrl = `http://127.0.0.1:${ports.worker}`
  const dataPlaneUrl = `ws://127.0.0.1:${ports.stream}`
  const opsUrl = `http://127.0.0.1:${ports.ops}`

  const paperUrl = `http://127.0.0.1:${ports.paper}`

  const tickRedisUrl = (await options.tickRedisUrl?.(redisUrl)) ?? redisUrl

  const dataPlane = {
    keys,
    databaseUrl,
    redisUrl,
    tickRedisUrl,
    simulatorUrl,
    paperUrl: options.paper ? paperUrl : undefined,
  }
  report('Worker and data plane …')
  const keep = async (part: Promise<Part>) => {
    stops.push((await part).stop)
    return part
  }
  const starting = [
    keep(
      startWorkerPart(options, {
        port: ports.worker,
        keys,
        databaseUrl,
        neonUrl: neon.url,
        upstashUrl: upstash.url,
        simulatorUrl,
        paperUrl: dataPlane.paperUrl,
      }),
    ),
    keep(startDataPlanePart(options, { ...dataPlane, streamPort: ports.stream, opsPort: ports.ops })),
  ] as const
  // Whichever fails, the other one is known by then and can be stopped.
  await Promise.allSettled(starting)
  const [worker, firstDataPlane] = await Promise.all(starting)
  return {
    controlPlaneUrl,
    dataPlaneUrl,
    opsUrl,
    simulatorUrl,
    databaseUrl,
    redisUrl,
    worker,
    dataPlane: firstDataPlane,
    simulator,
    redis,
    postgres,
    async startSecondDataPlane() {
      const streamPort = await freePort()
      const opsPort = await freePort(0, [streamPort])
      return keep(
        startDataPlanePart(options, { ...dataPlane, streamPort, opsPort, name: 'second data plane' }),
      )
    },
    killToken: keys.killToken,
    startPaper: (apiKey, accountId, onBack) =>
      keep(
        startPaperBroker(options, {
          ...{ port: ports.paper, simulatorUrl, controlPlaneUrl, apiKey, accountId },
          ...(onBack && { onBack }),
        }),
      ),
  }
}

async function startDatabase(options: SystemOptions, port: number): Promise<Part> {
  const keeping = options.persistent ? 'keep' : 'forget'
  return startPart({
    ...common(options),
    name: 'PostgreSQL',
    command: process.execPath,
    args: [
      join(ROOT, 'infra/local/postgres-main.ts'),
      join(options.stateDir, 'postgres'),
      String(port),
      keeping,
    ],
    env: childEnv(options),
    logFile: join(options.stateDir, 'logs', 'postgres.log'),
    ready: () => postgresAnswers(port),
  })
}

async function startRedisPart(options: SystemOptions, port: number): Promise<Part> {
  const { command, args } = await redisCommand(port, options.report)
  return startPart({
    ...common(options),
    name: 'Redis',
    command,
    args,
    // Not what moves clocks: Debian's build of it does not start with that, and nothing here asks it for the day.
    env: childEnv({}),
    logFile: join(options.stateDir, 'logs', 'redis.log'),
    ready: () => redisAnswers(port),
    // Long enough to see what goes on without it.
    ...(options.restartAfterMs === undefined ? {} : { restartAfterMs: 15_000 }),
  })
}

async function startSimulatorPart(options: SystemOptions, ports: Ports): Promise<Part> {
  const usersFile = join(options.stateDir, 'users.json')
  const callback = `http://127.0.0.1:${ports.worker}/kite`
  const accountOf = (index: number) => (index === 0 ? 'demo' : 'second')
  const users = DEMO_USERS.map((user, index) => ({
    ...user,
    redirect_url: `${callback}/callback`,
    postback_url: `${callback}/postback/${accountOf(index)}`,
    holdings: index === 0 ? DEMO_HOLDINGS : [],
    mutual_funds: index === 0 ? DEMO_FUNDS : [],
  }))
  await writeFile(usersFile, JSON.stringify(users, null, 2))
  const args = ['--port', String(ports.simulator), '--seed', String(options.seed), '--users-file', usersFile]
  if (options.instruments.length > 0) args.push('--instruments', options.instruments.join(','))
  return startPart({
    ...common(options),
    name: 'simulator',
    command: process.execPath,
    args: [join(ROOT, 'infra/kite-simulator/main.ts'), ...args, ...(options.simulatorArgs ?? [])],
    env: childEnv(options),
    logFile: join(options.stateDir, 'logs', 'simulator.log'),
    ready: answersOk(`http://127.0.0.1:${ports.simulator}/sim/state`),
    onBack: () => options.onSimulatorBack?.(),
  })
}

async function freePorts(preferred: Ports): Promise<Ports> {
  const taken: number[] = []
  const next = async (name: keyof Ports) => {
    const port = await freePort(preferred[name], taken)
    taken.push(port)
    return port
  }
  return {
    worker: await next('worker'),
    stream: await next('stream'),
    ops: await next('ops'),
    simulator: await next('simulator'),
    paper: await next('paper'),
    postgres: await next('postgres'),
    redis: await next('redis'),
  }
}

export function stateExists(stateDir: string): boolean {
  return existsSync(join(stateDir, 'postgres', 'PG_VERSION'))
}
