import type { KiteHttp } from '@ticker/shared/kite-http'
import type { Dependencies } from '../dependencies.ts'

const TIMEOUT_MS = 7_000

/** Of the broker of such an account; undefined: a paper account, and there is no paper broker. */
export function kiteHttp(
  { config, fetch }: Pick<Dependencies, 'config' | 'fetch'>,
  { paper }: { paper: boolean },
): KiteHttp | undefined {
  const root = paper ? config.paper?.apiRoot : config.kiteApiRoot
  return root === undefined ? undefined : { root, fetch, timeoutMs: TIMEOUT_MS }
}
