import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const event = z.object({
  kind: z.enum(['tick', 'order', 'error']),
  instrument_token: z.number().optional(),
  mode: z.string().optional(),
  status: z.string().optional(),
  tag: z.string().nullish(),
  message: z.string().optional(),
})
export type KiteTickerEvent = z.infer<typeof event>

export interface RunningKiteTicker {
  events: KiteTickerEvent[]
  stop(): void
}

export interface KiteCredentials {
  root: string
  apiKey: string
  accessToken: string
}

/** Starts the official client against our socket. */
export function runKiteTicker(
  to: KiteCredentials,
  mode: 'ltp' | 'quote' | 'full',
  tokens: number[],
): RunningKiteTicker {
  const script = fileURLToPath(new URL('./kite-ticker.cjs', import.meta.url))
  const child: ChildProcess = spawn(
    process.execPath,
    [script, to.root, to.apiKey, to.accessToken, mode, tokens.join()],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  const events: KiteTickerEvent[] = []
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) events.push(event.parse(JSON.parse(line)))
    })
  }
  return { events, stop: () => child.kill('SIGKILL') }
}
