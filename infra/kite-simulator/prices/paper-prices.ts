// The prices of a paper broker come from our own Kite-compatible socket, as any Kite client has them: a day token of an
// account with market data, got anew for each connection.
import { z } from 'zod'
import type { PriceSource } from './live-prices.ts'

const TIMEOUT_MS = 10_000
const kiteToken = z.object({ api_key: z.string(), access_token: z.string(), kite_socket_url: z.string() })

/** `root`: the control plane. Throws with what it answered, without the key. */
export function paperPrices(root: string, accountId: string, apiKey: string): PriceSource {
  return async () => {
    const response = await fetch(`${root.replace(/\/+$/, '')}/v1/kite-tokens`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ account_id: accountId }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    if (!response.ok) throw new Error(`no Kite token for ${accountId}: ${response.status}`)
    const { api_key, access_token, kite_socket_url } = kiteToken.parse(await response.json())
    return `${kite_socket_url}/?${new URLSearchParams({ api_key, access_token })}`
  }
}
