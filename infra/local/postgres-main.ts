// PostgreSQL as a part of the local system: a process (group) of its own, so that Ctrl-C at the terminal does not end
// the database before what uses it. argv: directory, port, `keep` or `forget`. Ends on SIGTERM, or when the server does.
import pg from 'pg'
import { startPostgres } from './postgres.ts'
import { postgresUrl } from './postgres-client.ts'

// The library would end the server and this process on a signal by itself, without waiting and with another code.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal)

const [directory = '', port = '', keeping = ''] = process.argv.slice(2)
const server = await startPostgres({
  directory,
  port: Number(port),
  persistent: keeping === 'keep',
  onLog: console.log,
})
// The library does not tell when the server ends; a connection does.
const watch = new pg.Client({ connectionString: postgresUrl(Number(port)) })
let stopping = false
watch.on('error', () => stopping || process.exit(1))
watch.on('end', () => stopping || process.exit(1))
await watch.connect()
process.on('SIGTERM', () => {
  stopping = true
  server.stop().then(
    () => process.exit(0),
    () => process.exit(1),
  )
})
