import type { KiteHttp } from '@ticker/shared/kite-http'
import type { Dependencies } from '../dependencies.ts'

const TIMEOUT_MS = 7_000

export function kiteHttp({ config, fetch }: Pick<Dependencies, 'config' | 'fetch'>): KiteHttp {
  return { root: config.kiteApiRoot, fetch, timeoutMs: TIMEOUT_MS }
}
