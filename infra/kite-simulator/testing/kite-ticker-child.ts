// Runs the official KiteTicker, which keeps its state in module variables and exits its process, so that a test can
// watch it from outside. Arguments: root, api key, access token, and the subscriptions as JSON {mode: tokens}.
import { KiteTicker } from 'kiteconnect'

const [root = '', apiKey = '', accessToken = '', subscriptions = '{}'] = process.argv.slice(2)
const params = { api_key: apiKey, access_token: accessToken, root, reconnect: false }
const ticker = new KiteTicker(params)
const say = (event: string, data: unknown) => console.log(JSON.stringify({ event, data }))

ticker.on('connect', () => {
  const wanted: [unknown, unknown][] = Object.entries(JSON.parse(subscriptions))
  for (const [mode, tokens] of wanted) {
    if (!Array.isArray(tokens)) continue
    ticker.subscribe(tokens)
    if (mode === 'ltp' || mode === 'full') ticker.setMode(mode, tokens)
  }
  say('connected', null)
})
ticker.on('message', (frame: ArrayBuffer) => say('frame', Buffer.from(frame).toString('hex')))
ticker.on('ticks', (ticks: unknown) => say('ticks', ticks))
ticker.on('order_update', (order: unknown) => say('order', order))
ticker.on('error', (error: { message?: string }) => say('error', error.message ?? 'error'))
ticker.connect()
