// Watches instruments on /v1/stream:  npx pnpm exec node docs/examples/stream.mjs "NSE:INFY" 256265
// Uses nothing but Node's own WebSocket. Reads the addresses and the key that `pnpm dev` wrote.
import { readFileSync } from 'node:fs'

const { controlPlaneUrl, apiKey } = JSON.parse(readFileSync('.dev/env.json', 'utf8'))
const wanted = process.argv.slice(2).map((name) => (/^\d+$/.test(name) ? Number(name) : name))
const instruments = wanted.length > 0 ? wanted : ['NSE:NIFTY 50', 'NSE:INFY']

// Whoever reads this has seen enough (`| head`): an end, no error.
process.stdout.on('error', ({ code }) => process.exit(code === 'EPIPE' ? 0 : 1))

const answer = await fetch(`${controlPlaneUrl}/v1/stream-tickets`, {
  method: 'POST',
  headers: { Authorization: `Bearer ${apiKey}` },
})
const { ticket, stream_url } = await answer.json()
const socket = new WebSocket(stream_url, ['ticker.v1', `ticket.${ticket}`])
socket.onopen = () =>
  socket.send(JSON.stringify({ op: 'subscribe', instruments, mode: 'quote', delivery: 'every' }))
socket.onmessage = ({ data }) => {
  const message = JSON.parse(data)
  if (message.op === 'snapshot' || message.op === 'ticks') {
    for (const tick of message.ticks)
      console.log(message.op.padEnd(8), tick.seq, tick.instrument_token, tick.last_price)
  } else if (message.op !== 'heartbeat') console.log(message)
}
socket.onclose = ({ code, reason }) => console.log('closed', code, reason)
