// Every tick that is published in Redis:  npx pnpm exec node docs/examples/redis-ticks.mjs
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { decodeFrame, readPublishedFrame } from '../../shared/src/kite-wire/index.ts'

const require = createRequire(new URL('../../infra/package.json', import.meta.url))
const { createClient } = require('redis')
const { tickRedisUrl } = JSON.parse(readFileSync('.dev/env.json', 'utf8'))

// Whoever reads this has seen enough (`| head`): an end, no error.
process.stdout.on('error', ({ code }) => process.exit(code === 'EPIPE' ? 0 : 1))

const client = await createClient({ url: tickRedisUrl }).connect()
const onMessage = (message) => {
  const frame = readPublishedFrame(new Uint8Array(message))
  if (!frame.ok) return console.error('unreadable:', frame.reason)
  if (frame.header.gap) console.error('gap: ticks before this message were not published')
  for (const tick of decodeFrame(frame.container))
    console.log(frame.header.seq, tick.instrument_token, tick.mode, tick.last_price)
}
await client.pSubscribe('*:ticks:raw:*', onMessage, true)
