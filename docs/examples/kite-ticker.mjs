// The official KiteTicker, unmodified, against this service:  npx pnpm exec node docs/examples/kite-ticker.mjs
// Two things differ from a strategy that talks to the broker: the root, and the credentials.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const require = createRequire(new URL('../../infra/package.json', import.meta.url))
const { KiteTicker } = require('kiteconnect')
const { kiteSocketUrl, kiteApiKey, kiteAccessToken } = JSON.parse(readFileSync('.dev/env.json', 'utf8'))

// Whoever reads this has seen enough (`| head`): an end, no error.
process.stdout.on('error', ({ code }) => process.exit(code === 'EPIPE' ? 0 : 1))

const ticker = new KiteTicker({ api_key: kiteApiKey, access_token: kiteAccessToken, root: kiteSocketUrl })
ticker.on('ticks', (ticks) => {
  for (const tick of ticks) console.log(tick.instrument_token, tick.mode, tick.last_price)
})
ticker.on('order_update', (order) => console.log('order', order.order_id, order.status, order.tag))
ticker.on('error', (error) => console.error('error', error?.message ?? error))
ticker.on('connect', () => {
  ticker.subscribe([256265, 408065])
  ticker.setMode(ticker.modeFull, [256265, 408065])
})
ticker.connect()
