// The official KiteTicker, unmodified, in a process of its own (it exits the process and keeps module state).
// argv: root, api_key, access_token, mode, comma-separated tokens. Prints one JSON line per event.
const { KiteTicker } = require('kiteconnect')

const [root, api_key, access_token, mode, tokens] = process.argv.slice(2)
const wanted = tokens.split(',').map(Number)
const say = (event) => console.log(JSON.stringify(event))
const ticker = new KiteTicker({ api_key, access_token, root })
ticker.on('connect', () => {
  ticker.subscribe(wanted)
  ticker.setMode(mode, wanted)
})
ticker.on('ticks', (ticks) => {
  for (const { instrument_token, mode: ticked, last_price } of ticks) {
    say({ kind: 'tick', instrument_token, mode: ticked, last_price })
  }
})
ticker.on('order_update', (order) => say({ kind: 'order', status: order.status, tag: order.tag }))
ticker.on('error', (error) => say({ kind: 'error', message: String(error?.message ?? error) }))
ticker.connect()
