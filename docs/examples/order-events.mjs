// What happens to your orders on /v1/stream, over lost connections too:  npx pnpm exec node docs/examples/order-events.mjs demo
// With `--from-start`, the whole log first. Uses nothing but Node's own WebSocket. Reads the addresses and the key that
// `pnpm dev` wrote.
import { readFileSync } from 'node:fs'

const { controlPlaneUrl, apiKey } = JSON.parse(readFileSync('.dev/env.json', 'utf8'))
const words = process.argv.slice(2)
const accounts = words.filter((word) => !word.startsWith('--'))
/** The last seq of each account: where to go on. A strategy would keep it with what it makes of the events. */
let cursor = words.includes('--from-start') ? {} : undefined
/** Heartbeats come every 5 s. */
const DEAD_MS = 15_000

// Whoever reads this has seen enough (`| head`): an end, no error.
process.stdout.on('error', ({ code }) => process.exit(code === 'EPIPE' ? 0 : 1))

/** Resolves when the connection is over, for whatever reason. */
async function listen() {
  const answer = await fetch(`${controlPlaneUrl}/v1/stream-tickets`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${apiKey}` },
  })
  if (!answer.ok) throw new Error(await answer.text())
  const { ticket, stream_url } = await answer.json()
  const socket = new WebSocket(stream_url, ['ticker.v1', `ticket.${ticket}`])
  await new Promise((over) => {
    let timer
    const alive = () => {
      clearTimeout(timer)
      timer = setTimeout(() => {
        socket.close()
        over()
      }, DEAD_MS)
    }
    alive()
    socket.onopen = () =>
      socket.send(
        JSON.stringify({
          op: 'subscribe_orders',
          ...(accounts.length > 0 && { accounts }),
          ...(cursor && { after: cursor }),
        }),
      )
    socket.onmessage = ({ data }) => {
      alive()
      const message = JSON.parse(data)
      if (message.op === 'orders_subscribed') cursor = message.accounts
      if (message.op === 'orders_gap')
        cursor[message.account_id] = message.reason === 'not_kept' ? message.to_seq : message.from_seq - 1
      if (message.op === 'order_event') {
        const { account_id, seq, kind, intent_id, state, broker_order } = message
        cursor[account_id] = seq
        console.log(
          account_id,
          seq,
          kind,
          intent_id,
          state,
          broker_order?.status,
          broker_order?.filled_quantity,
        )
      } else if (message.op !== 'heartbeat' && message.op !== 'welcome') console.log(message)
    }
    socket.onclose = ({ code, reason }) => {
      clearTimeout(timer)
      console.log('closed', code, reason)
      over()
    }
  })
}

for (;;) {
  await listen().catch((error) => console.log('lost:', error.message))
  await new Promise((resolve) => setTimeout(resolve, 2_000))
}
