// `npx pnpm dev`: starts the whole system, seeds it, prints where everything is, stops it all on Ctrl-C.
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readEnvFile, writeEnvFile } from './env-file.ts'
import { type DevOptions, readOptions, USAGE } from './options.ts'
import { runReplay } from './replay.ts'
import { ApiClient, DEMO_ACCOUNT, DEMO_INSTRUMENTS, seed } from './seed.ts'
import { DEMO_USERS, startSystem, stateExists } from './system.ts'
import { welcome } from './welcome.ts'

const startedMs = Date.now()
const say = (line: string) =>
  console.log(`[${((Date.now() - startedMs) / 1000).toFixed(1).padStart(5)} s] ${line}`)

async function main(options: DevOptions) {
  if (options.fresh) await rm(options.stateDir, { recursive: true, force: true })
  const envPath = join(options.stateDir, 'env.json')
  const known = stateExists(options.stateDir) ? await readEnvFile(envPath) : undefined

  const starting = startSystem({
    stateDir: options.stateDir,
    ports: options.ports,
    seed: options.seed,
    instruments: options.instruments,
    simulatorArgs: options.replay ? ['--replay', options.replay, '--replay-start', 'when_told'] : [],
    persistent: true,
    restartAfterMs: 1_000,
    report: say,
  })
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    say('stopping …')
    // Pressed while it starts: what has started by then must be stopped as well.
    starting
      .then((system) => system.stop())
      .then(
        () => process.exit(0),
        () => process.exit(1),
      )
  }
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
  // Started by a package manager that was killed: nobody is left to press Ctrl-C.
  const parent = process.ppid
  setInterval(() => process.ppid !== parent && stop(), 1_000).unref()
  const system = await starting
  if (stopping) return

  try {
    say('demo account, login, subscriptions …')
    const [demoUser, secondUser] = DEMO_USERS
    const apiKey = await seed(system, demoUser, known?.apiKey)
    const api = new ApiClient(system.controlPlaneUrl, apiKey)
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
      kiteRestUrl: system.simulatorUrl,
      kiteApiKey: token.api_key,
      kiteAccessToken: token.access_token,
    }
    await writeEnvFile(envPath, env)
    console.log(
      welcome(env, {
        second: secondUser,
        logs: join(options.stateDir, 'logs'),
        envPath,
        pids: { 'data plane': system.dataPlane.pid(), worker: system.worker.pid() },
      }),
    )
    say('ready')
    if (options.replay)
      await runReplay({ system, api, file: options.replay, speed: options.speed, report: say })
  } catch (error) {
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
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
    process.exit(1)
  }
}

main(optionsOrUsage()).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  process.exit(1)
})
