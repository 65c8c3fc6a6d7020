// Runs the simulator as a process: one JSON line on stdout when it listens, ends on SIGTERM or SIGINT.
import { readConfig, USAGE } from './config.ts'
import { startSimulator } from './simulator.ts'

try {
  const simulator = await startSimulator(await readConfig(process.argv.slice(2), process.env))
  const { port, url, wsUrl, instruments } = simulator
  console.log(JSON.stringify({ event: 'ready', port, url, ws_url: wsUrl, instruments }))
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      simulator.stop().then(() => process.exit(0))
    })
  }
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`)
  process.exitCode = 1
}
