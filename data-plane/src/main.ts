// The container's entry: `serve` (default), or one of the commands below. Ends with 0 after a clean stop.
import { createApiKey } from './cli/create-api-key.ts'
import { healthcheck } from './cli/healthcheck.ts'
import { importAccounts } from './cli/import-accounts/import-accounts.ts'
import { kill } from './cli/kill.ts'
import { migrate } from './cli/migrate.ts'
import { rotateKeys } from './cli/rotate-keys.ts'
import { ConfigInvalid, readConfig } from './config.ts'
import { startDataPlane } from './start.ts'

const STOP_DEADLINE_MS = 15_000

async function serve() {
  const dataPlane = await startDataPlane(readConfig(process.env))
  let stopping = false
  const stop = () => {
    if (stopping) return
    stopping = true
    setTimeout(() => process.exit(1), STOP_DEADLINE_MS).unref()
    void dataPlane.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    )
  }
  process.once('SIGTERM', stop)
  process.once('SIGINT', stop)
}

const [command = 'serve', ...args] = process.argv.slice(2)
const commands: Record<string, () => Promise<void>> = {
  serve,
  healthcheck: () => healthcheck(readConfig(process.env)),
  migrate: () => migrate(readConfig(process.env)),
  'create-api-key': () => createApiKey(readConfig(process.env), args),
  'import-accounts': () => importAccounts(readConfig(process.env), args),
  kill: () => kill(args, process.env),
  'rotate-keys': () => rotateKeys(readConfig(process.env)),
}

try {
  const run = commands[command]
  if (!run)
    throw new ConfigInvalid(`Unknown command "${command}". Commands: ${Object.keys(commands).join(', ')}`)
  await run()
} catch (error) {
  console.error(error instanceof ConfigInvalid ? error.message : error)
  process.exit(1)
}
