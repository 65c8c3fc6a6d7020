import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Mode } from '@ticker/shared/kite-wire'
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

/** The official clients; each takes root, api_key, access_token, mode and tokens, and prints a line per event. */
export const JAVASCRIPT = [process.execPath, here('kite-ticker-process.cjs')]
export const PYTHON = ['python3', here('kite_ticker_process.py')]
/** Takes root, api_key and access_token, and fails with what is not as it should be. */
export const PYTHON_REST = ['python3', here('kite_rest_process.py')]

/** Starts an official client against our socket. */
export function runKiteTicker(
  to: KiteCredentials,
  mode: Mode,
  tokens: number[],
  client: readonly string[] = JAVASCRIPT,
): RunningKiteTicker {
  const [command = '', ...args] = client
  const child: ChildProcess = spawn(
    command,
    [...args, to.root, to.apiKey, to.accessToken, mode, tokens.join()],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const events: KiteTickerEvent[] = []
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{')) events.push(event.parse(JSON.parse(line)))
    })
  }
  return { events, stop: () => child.kill('SIGKILL') }
}

function here(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url))
}
