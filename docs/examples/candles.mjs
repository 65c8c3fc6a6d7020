// Live candles on /v1/stream, the day so far first:  npx pnpm exec node docs/examples/candles.mjs 1m "NSE:INFY" 256265
// Uses nothing but Node's own WebSocket. Reads the addresses and the key that `pnpm dev` wrote.
import { readFileSync } from 'node:fs'

const { controlPlaneUrl, apiKey } = JSON.parse(readFileSync('.dev/env.json', 'utf8'))
const [interval = '1m', ...names] = process.argv.slice(2)
const wanted = names.length > 0 ? names : ['NSE:NIFTY 50', 'NSE:INFY']
const instruments = wanted.map((name) => (/^\d+$/.test(name) ? Number(name) : name))

// Whoever reads this has seen enough (`| head`): an end, no error.
process.stdout.on('error', ({ code }) => process.exit(code === 'EPIPE' ? 0 : 1))

/** The day of each instrument by the beginning of its candles: what a strategy would look at. */
const days = new Map()

function take({ state, ...candle }) {
  const day = days.get(candle.instrument_token) ?? new Map()
  days.set(candle.instrument_token, day.set(candle.time, candle))
  const { instrument_token, time, open, high, low, close, volume, gap } = candle
  console.log(
    instrument_token,
    time,
    state,
    open,
    high,
    low,
    close,
    volume,
    gap ? 'ticks may be missing' : '',
  )
}

const answer = await fetch(`${controlPlaneUrl}/v1/stream-tickets`, {
  method: 'POST',
  headers: { Authorization: `Bearer ${apiKey}` },
})
if (!answer.ok) throw new Error(await answer.text())
const { ticket, stream_url } = await answer.json()
const socket = new WebSocket(stream_url, ['ticker.v1', `ticket.${ticket}`])
socket.onopen = () => socket.send(JSON.stringify({ op: 'subscribe_candles', instruments, interval }))
socket.onmessage = ({ data }) => {
  const message = JSON.parse(data)
  // In place of all that was sent of this instrument: also later, to a client that read too slowly.
  if (message.op === 'candle_snapshot') days.delete(message.instrument_token)
  if (message.op === 'candle_snapshot' || message.op === 'candles') message.candles.forEach(take)
  else if (message.op !== 'heartbeat') console.log(message)
}
socket.onclose = ({ code, reason }) => console.log('closed', code, reason)
