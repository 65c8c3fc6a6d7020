// A Redis connection for commands: comes back by itself with jittered, bounded waits; queues nothing while away.
import { createClient } from 'redis'
import type { Log } from './log.ts'

const RECONNECT_MIN_MS = 100
const RECONNECT_MAX_MS = 2_000

export function createCommandConnection(url: string, name: string, log: Log, random: () => number) {
  const client = createClient({
    url,
    name: `ticker-${name}`,
    disableOfflineQueue: true,
    socket: {
      connectTimeout: 3_000,
      reconnectStrategy: (retries) =>
        Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(retries, 10)) * (0.5 + random() / 2),
    },
  })
  let said = false
  client.on('error', (error: unknown) => {
    if (!said) log.warn({ connection: name, error }, 'command redis lost')
    said = true
  })
  client.on('ready', () => {
    if (said) log.info({ connection: name }, 'command redis is back')
    said = false
  })
  // Not awaited: a start without Redis is a start (RELIABILITY row 13); the reconnect strategy goes on for ever.
  void client.connect().catch(() => {})
  return client
}
