// The Worker's own entry in Node instead of workerd: `node worker-in-node.ts PORT ENV_FILE`. For tests that move the clock
// (moved-clock.ts): workerd hangs under libfaketime and Node does not. The application, its configuration and its way to
// Postgres and Redis are the same; the console's files and the cron trigger are not there, and failed authentication is
// not counted. What workerd itself does is tested in workerd, by everything else.
import { readFile } from 'node:fs/promises'
import { parseEnv } from 'node:util'
import { serve } from '@hono/node-server'
import worker from '../../control-plane/src/worker.ts'

const [port, envFile] = process.argv.slice(2)
if (port === undefined || envFile === undefined) throw new Error('worker-in-node.ts PORT ENV_FILE')

const env = {
  ...parseEnv(await readFile(envFile, 'utf8')),
  AUTH_FAILURES: { limit: async () => ({ success: true }) },
}
const context = {
  waitUntil: (work: Promise<unknown>) => void work.catch((error: unknown) => console.error(error)),
  passThroughOnException: () => {},
  props: undefined,
}

serve({
  fetch: (request) => worker.fetch(request, env, context),
  port: Number(port),
  hostname: '127.0.0.1',
})
