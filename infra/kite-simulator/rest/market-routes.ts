// The instrument dump, and quotes of up to 500 or 1,000 instruments (KITE.md 2.2, 6).
import { Hono } from 'hono'
import { istTimestamp } from '../ist-time.ts'
import { LOWER_CIRCUIT, UPPER_CIRCUIT } from '../prices/conduct.ts'
import type { Quote } from '../prices/quote.ts'
import { inputRefused } from '../refusal.ts'
import { authenticate } from './authenticate.ts'
import type { RestContext, RestEnv, RestParts } from './env.ts'
import { refuse, success } from './envelope.ts'

const QUOTE_KEYS_MAX = 500
const PRICE_KEYS_MAX = 1_000
const TRIGGER_PERCENT = 3

export function marketRoutes(parts: RestParts): Hono<RestEnv> {
  const { instruments, engine } = parts
  const app = new Hono<RestEnv>()
  const gate = authenticate(parts)

  // The broker serves the dump to anyone. Exactly `text/csv`: a charset makes the JavaScript client return a string.
  const csv = (c: RestContext, exchange: string | null) =>
    c.body(new Uint8Array(instruments.csvGzip(exchange)), 200, {
      'Content-Type': 'text/csv',
      'Content-Encoding': 'gzip',
    })
  app.get('/instruments', (c) => csv(c, null))
  app.get('/instruments/:exchange', (c) => {
    const exchange = c.req.param('exchange')
    return instruments.hasExchange(exchange)
      ? csv(c, exchange)
      : refuse(c, inputRefused('Invalid `exchange`.'))
  })

  // How far the broker lets a cover order's trigger be is not documented; this is of the right size.
  app.get('/instruments/trigger_range/:side', gate, (c) =>
    answer(c, QUOTE_KEYS_MAX, ({ fields: { instrument_token, last_price } }) => ({
      ...{ instrument_token, percentage: TRIGGER_PERCENT },
      lower: last_price * (1 - TRIGGER_PERCENT / 100),
      upper: last_price * (1 + TRIGGER_PERCENT / 100),
    })),
  )

  const answer = (c: RestContext, keysMax: number, shape: (quote: Quote) => object) => {
    const keys = c.req.queries('i') ?? []
    if (keys.length === 0) return refuse(c, inputRefused('Missing or empty field `i`'))
    if (keys.length > keysMax) return refuse(c, inputRefused(`Maximum ${keysMax} instruments are allowed.`))
    const data: Record<string, object> = {}
    for (const key of keys) {
      const [exchange = '', ...symbol] = key.split(':')
      const instrument = instruments.find(exchange, symbol.join(':')) ?? instruments.get(Number(key))
      const quote = instrument === undefined ? undefined : engine.quote(instrument.instrument_token)
      if (quote?.hasTick) data[key] = shape(quote)
    }
    return success(c, data)
  }
  app.get('/quote', gate, (c) => answer(c, QUOTE_KEYS_MAX, fullQuote))
  app.get('/quote/ohlc', gate, (c) => answer(c, PRICE_KEYS_MAX, ohlcQuote))
  app.get('/quote/ltp', gate, (c) => answer(c, PRICE_KEYS_MAX, ltpQuote))
  return app
}

function ltpQuote({ fields }: Quote) {
  return { instrument_token: fields.instrument_token, last_price: fields.last_price }
}

function ohlcQuote(quote: Quote) {
  return { ...ltpQuote(quote), ohlc: quote.fields.ohlc }
}

function fullQuote(quote: Quote) {
  const { fields } = quote
  const time = (seconds: number | null) => (seconds ? istTimestamp(seconds * 1000) : null)
  return {
    ...ohlcQuote(quote),
    timestamp: time(fields.exchange_timestamp_s),
    last_trade_time: time(fields.last_trade_time_s),
    last_quantity: fields.last_traded_quantity,
    buy_quantity: fields.total_buy_quantity,
    sell_quantity: fields.total_sell_quantity,
    volume: fields.volume_traded,
    average_price: fields.average_traded_price,
    oi: fields.oi,
    oi_day_high: fields.oi_day_high,
    oi_day_low: fields.oi_day_low,
    net_change: fields.last_price - fields.ohlc.close,
    lower_circuit_limit: fields.ohlc.close * LOWER_CIRCUIT,
    upper_circuit_limit: fields.ohlc.close * UPPER_CIRCUIT,
    depth: fields.depth,
  }
}
