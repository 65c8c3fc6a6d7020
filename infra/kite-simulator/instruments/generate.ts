// A market from a seed: several thousand instruments of every exchange with the shapes of the real dump (symbols
// with `&`, `-` and spaces, weekly and monthly expiries relative to the simulated date, lots and ticks by kind).
import { tokenOf } from '@ticker/shared/kite-wire'
import { type Random, seededRandom } from '../random.ts'
import { generateDerivatives, generateMoreOptions } from './generate-derivatives.ts'
import type { Instrument } from './instrument-book.ts'
import { INDICES, STOCKS, SUFFIXES, SYLLABLES } from './names.ts'

export const GENERATED_STOCKS = 1_500
const NSE_SEGMENT = 1
const BSE_SEGMENT = 4
const INDEX_SEGMENT = 9
const FIRST_INVENTED_NSE = 30_000
const FIRST_BSE = 500_000

/** Segment 2 has 24-bit exchange tokens, but a dump is of the order of 100,000 rows. */
export const INSTRUMENTS_MAX = 200_000

/** Deterministic in (seed, today, count). Options of invented stocks fill the market up to `count` rows. */
export function generateInstruments(seed: number, today: string, count = 0): Instrument[] {
  const random = seededRandom(seed)
  const indices = INDICES.map(([exchangeToken, symbol, , exchange]) =>
    indexRow(exchangeToken, symbol, exchange),
  )
  const nse = STOCKS.map(([exchangeToken, symbol, name, price]) =>
    stockRow(exchangeToken, NSE_SEGMENT, 'NSE', symbol, name, tickOfPrice(price)),
  )
  const seen = new Set(nse.map((row) => row.tradingsymbol))
  while (nse.length < GENERATED_STOCKS) {
    const symbol = inventSymbol(random)
    if (seen.has(symbol)) continue
    seen.add(symbol)
    const tick = tickOfPrice(Math.exp(3 + random.next() * 5))
    nse.push(stockRow(FIRST_INVENTED_NSE + nse.length, NSE_SEGMENT, 'NSE', symbol, `${symbol} LTD`, tick))
  }
  // Most companies are listed on both exchanges: one symbol, two tokens.
  const bse = nse
    .filter((_, index) => index < STOCKS.length || index % 3 === 0)
    .map((row, index) =>
      stockRow(FIRST_BSE + index, BSE_SEGMENT, 'BSE', row.tradingsymbol, row.name, row.tick_size),
    )
  const rows = [...indices, ...nse, ...bse, ...generateDerivatives(today)]
  const invented = nse.slice(STOCKS.length).map((row) => row.tradingsymbol)
  return [...rows, ...generateMoreOptions(today, invented, count - rows.length)]
}

/** Cash tick sizes since 15 April 2025 (SIMULATOR-FIDELITY). */
function tickOfPrice(price: number): number {
  if (price < 250) return 0.01
  if (price < 1_000) return 0.05
  if (price < 5_000) return 0.1
  if (price < 10_000) return 0.5
  return price < 20_000 ? 1 : 5
}

function inventSymbol(random: Random): string {
  const pick = (from: readonly string[]) => from[random.int(0, from.length - 1)] ?? ''
  return `${pick(SYLLABLES)}${pick(SYLLABLES)}${pick(SUFFIXES)}`
}

function indexRow(exchangeToken: number, symbol: string, exchange: string): Instrument {
  const row = stockRow(exchangeToken, INDEX_SEGMENT, exchange, symbol, symbol, 0)
  return { ...row, lot_size: 0, segment: 'INDICES' }
}

function stockRow(
  exchangeToken: number,
  segment: number,
  exchange: string,
  tradingsymbol: string,
  name: string,
  tickSize: number,
): Instrument {
  return {
    instrument_token: tokenOf(exchangeToken, segment),
    exchange_token: exchangeToken,
    tradingsymbol,
    name,
    expiry: '',
    strike: 0,
    tick_size: tickSize,
    lot_size: 1,
    instrument_type: 'EQ',
    segment: exchange,
    exchange,
  }
}
