// `npx pnpm dev`: starts the whole system, seeds it, prints where everything is, stops it all on Ctrl-C.
import { join } from 'node:path'
import { z } from 'zod'
import { logInAgain } from './demo-login.ts'
import { readEnvFile, writeEnvFile } from './env-file.ts'
import { launchersOf, watchLaunchers } from './launchers.ts'
import { type DevOptions, NoSuchFile, readOptions, USAGE } from './options.ts'
import { PAPER_ACCOUNT, PAPER_USER } from './paper-broker.ts'
import { endReplay, runReplay } from './replay.ts'
import { faultOf } from './replay-count.ts'
import { ApiClient, DEMO_ACCOUNT, DEMO_INSTRUMENTS, seed, seedPaper } from './seed.ts'
import { claimState, clearState } from './state-lock.ts'
import { DEMO_USERS, startSystem, stateExists } from './system.ts'
import { welcome } from './welcome.ts'

const startedMs = Date.now()
const say = (line: string) =>
  console.log(`[${((Date.now() - startedMs) / 1000).toFixed(1).padStart(5)} s] ${line}`)

async function main(options: DevOptions) {
  const launchers = launchersOf(process.pid)
  claimState(options.stateDir)
  if (options.fresh) clearState(options.stateDir)
  const envPath = join(options.stateDir, 'env.json')
  const known = stateExists(options.stateDir) ? await readEnvFile(envPath) : undefined

  let afterSimulatorCameBack = () => {}
  const givenUp = new AbortController()
  const starting = startSystem({
    stateDir: options.stateDir,
    ports: options.ports,
    seed: options.seed,
    instruments: options.instruments,
    simulatorArgs: options.replay ? ['--replay', options.replay, '--replay-start', 'when_told'] : [],
    paper: options.paper,
    persistent: true,
    restartAfterMs: 1_000,
    onSimulatorBack: () => afterSimulatorCameBack(),
    signal: givenUp.signal,
    report: say,
  })
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    say('stopping …')
    // Pressed while it starts: what has started by then ends with the start.
    givenUp.abort()
    starting
      .then(
        (system) => system.stop(),
        () => {},
      )
      .finally(() => process.exit(process.exitCode ?? 0))
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  // The same Ctrl-C has ended the `tee` or `less` that reads this.
  process.stdout.on('error', stop)
  watchLaunchers(launchers, 1_000, stop)
  const system = await starting.catch((error: unknown) => {
    if (!stopping) throw error
  })
  if (!system || stopping) return

  try {
    say('demo account, login, subscriptions …')
    const [demoUser, secondUser] = DEMO_USERS
    const apiKey = await seed(system, demoUser, known?.apiKey)
    const api = new ApiClient(system.controlPlaneUrl, apiKey)
    afterSimulatorCameBack = () => {
      void logInAgain(api, DEMO_ACCOUNT, demoUser.user_id, say)
      // It holds the recording's instruments still for a replay that has been played, or is lost.
      if (options.replay) endReplay(system.simulatorUrl).catch((error: unknown) => say(String(error)))
    }
    if (options.paper) {
      say('paper broker, its account, login …')
      await seedPaper(system, apiKey, () => {
        void logInAgain(api, PAPER_ACCOUNT, PAPER_USER.user_id, say)
      })
    }
    await api.call(z.unknown(), 'PUT', '/v1/subscriptions', {
      instruments: DEMO_INSTRUMENTS,
      mode: 'full',
      source: 'demo',
    })
    const token = await api.call(
      z.object({ api_key: z.string(), access_token: z.string() }),
      'POST',
      '/v1/kite-tokens',
      { account_id: DEMO_ACCOUNT },
    )
    const env = {
      controlPlaneUrl: system.controlPlaneUrl,
      dataPlaneUrl: system.dataPlaneUrl,
      opsUrl: system.opsUrl,
      consoleUrl: `${system.controlPlaneUrl}/`,
      simulatorUrl: system.simulatorUrl,
      databaseUrl: system.databaseUrl,
      commandRedisUrl: system.redisUrl,
      tickRedisUrl: system.redisUrl,
      apiKey,
      accountId: DEMO_ACCOUNT,
      kiteSocketUrl: system.dataPlaneUrl,
      kiteRestUrl: system.controlPlaneUrl,
      kiteApiKey: token.api_key,
      kiteAccessToken: token.access_token,
      killToken: system.killToken,
    }
    await writeEnvFile(envPath, env)
    console.log(
      welcome(env, {
        second: secondUser,
        paper: options.paper ? PAPER_ACCOUNT : undefined,
        logs: join(options.stateDir, 'logs'),
        envPath,
        pids: { 'data plane': system.dataPlane.pid(), worker: system.worker.pid() },
      }),
    )
    say('ready')
    if (options.replay) {
      const replay = { system, api, file: options.replay, speed: options.speed, report: say }
      const fault = faultOf(await runReplay(replay))
      if (fault !== undefined) throw new Error(fault)
      say('the recording arrived as it is; everything stays up')
    }
  } catch (error) {
    // Taken down on purpose: what breaks by that is no failure.
    if (stopping) return
    say(error instanceof Error ? error.message : String(error))
    process.exitCode = 1
    stop()
  }
}

function optionsOrUsage(): DevOptions {
  if (process.argv.includes('--help')) {
    console.log(USAGE)
    process.exit(0)
  }
  try {
    return readOptions(process.argv.slice(2), process.cwd())
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    console.error(error instanceof NoSuchFile ? words : `${words}\n\n${USAGE}`)
    process.exit(1)
  }
}

main(optionsOrUsage()).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  process.exit(1)
})
