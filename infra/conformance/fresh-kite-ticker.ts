// The official KiteTicker with module state of its own: it keeps its socket and counters in the module.
import { createRequire } from 'node:module'
import type { Mode } from '@ticker/shared/kite-wire'

const load = createRequire(import.meta.url)

/** What the tests use of it; its own types lack `root` and some events. */
export interface OfficialTicker {
  connect(): void
  connected(): boolean
  subscribe(tokens: number[]): void
  unsubscribe(tokens: number[]): void
  setMode(mode: Mode, tokens: number[]): void
  autoReconnect(enabled: boolean, tries: number, delaySeconds: number): void
  on(event: string, listener: (data: unknown) => void): void
}
type TickerClass = new (params: { api_key: string; access_token: string; root: string }) => OfficialTicker

export function freshKiteTicker(): TickerClass {
  for (const file of Object.keys(load.cache)) if (file.includes('kiteconnect')) delete load.cache[file]
  const { KiteTicker }: { KiteTicker: TickerClass } = load('kiteconnect')
  return KiteTicker
}
