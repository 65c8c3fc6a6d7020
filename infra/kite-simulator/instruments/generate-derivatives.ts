// Futures and options of the generated market: index chains with weekly expiries, stock chains, and the futures
// of MCX, CDS and BCD.
import { tokenOf } from '@ticker/shared/kite-wire'
import { monthCode, monthlyExpiries, THURSDAY, TUESDAY, weekCode, weeklyExpiries } from './expiries.ts'
import type { Instrument } from './instrument-book.ts'
import { INDEX_DERIVATIVES, INDEX_OF_NAME, INDICES, OTHER_FUTURES, STOCKS } from './names.ts'

const SEGMENT_CODES: Readonly<Record<string, number>> = { NFO: 2, BFO: 5 }
const FIRST_TOKEN = 35_000
const MONTHS_AHEAD = 3
const STOCK_STRIKES_EACH_SIDE = 10
/** Of the options that only fill a large dump: out of the way of the tokens of the others. */
const FIRST_MORE_TOKEN = 1_000_000
const MORE_STRIKES_EACH_SIDE = 40
const MORE_LOT = 500

type Chain = {
  name: string
  exchange: string
  lot: number
  base: number
  step: number
  strikesEachSide: number
  futureTick: number
  weekday: number
  weeklies: number
}

export function generateDerivatives(today: string): Instrument[] {
  const rows: Instrument[] = []
  for (const chain of [...indexChains(), ...stockChains()]) addChain(rows, chain, today)
  for (const [name, , tick, exchange, code] of OTHER_FUTURES) {
    for (const expiry of monthlyExpiries(today, TUESDAY, MONTHS_AHEAD)) {
      rows.push(
        contract(
          FIRST_TOKEN + rows.length,
          code,
          exchange,
          name,
          expiry,
          0,
          'FUT',
          tick,
          1,
          monthCode(expiry),
        ),
      )
    }
  }
  return rows
}

/** Option chains of the named stocks in turn, `count` rows in all; none when `count` is not positive. */
export function generateMoreOptions(today: string, names: readonly string[], count: number): Instrument[] {
  const rows: Instrument[] = []
  for (const [index, name] of names.entries()) {
    if (rows.length >= count) break
    const base = 100 + ((index * 37) % 60) * 50
    const step = base < 500 ? 2.5 : base < 2_000 ? 10 : 25
    const chain = {
      name,
      exchange: 'NFO',
      lot: MORE_LOT,
      base,
      step,
      strikesEachSide: MORE_STRIKES_EACH_SIDE,
      futureTick: 0.05,
      weekday: TUESDAY,
      weeklies: 0,
    }
    addChain(rows, chain, today, FIRST_MORE_TOKEN)
  }
  return rows.slice(0, Math.max(0, count))
}

function indexChains(): Chain[] {
  return INDEX_DERIVATIVES.map(([name, lot, step, strikesEachSide, weeklies, futureTick, exchange]) => {
    const symbol = INDEX_OF_NAME[name]?.split(':')[1]
    const base = INDICES.find((index) => index[1] === symbol)?.[2] ?? 0
    const weekday = exchange === 'BFO' ? THURSDAY : TUESDAY
    return { name, exchange, lot, base, step, strikesEachSide, futureTick, weekday, weeklies }
  })
}

function stockChains(): Chain[] {
  return STOCKS.filter(([, , , , lot]) => lot > 0).map(([, name, , base, lot]) => ({
    name,
    exchange: 'NFO',
    lot,
    base,
    step: base < 500 ? 5 : base < 2_000 ? 20 : 50,
    strikesEachSide: STOCK_STRIKES_EACH_SIDE,
    futureTick: base < 250 ? 0.01 : base < 1_000 ? 0.05 : 0.1,
    weekday: TUESDAY,
    weeklies: 0,
  }))
}

function addChain(rows: Instrument[], chain: Chain, today: string, firstToken = FIRST_TOKEN): void {
  const code = SEGMENT_CODES[chain.exchange] ?? 2
  const monthlies = monthlyExpiries(today, chain.weekday, MONTHS_AHEAD)
  const weeklies = weeklyExpiries(today, chain.weekday, chain.weeklies).filter(
    (date) => !monthlies.includes(date),
  )
  const { name, exchange, lot } = chain
  for (const expiry of monthlies) {
    rows.push(
      contract(
        firstToken + rows.length,
        code,
        exchange,
        name,
        expiry,
        0,
        'FUT',
        chain.futureTick,
        lot,
        monthCode(expiry),
      ),
    )
  }
  for (const expiry of [...weeklies, ...monthlies].sort()) {
    const expiryCode = monthlies.includes(expiry) ? monthCode(expiry) : weekCode(expiry)
    const middle = Math.round(chain.base / chain.step) * chain.step
    for (let away = -chain.strikesEachSide; away <= chain.strikesEachSide; away++) {
      const strike = middle + away * chain.step
      if (strike <= 0) continue
      for (const kind of ['CE', 'PE']) {
        rows.push(
          contract(
            firstToken + rows.length,
            code,
            exchange,
            name,
            expiry,
            strike,
            kind,
            0.05,
            lot,
            expiryCode,
          ),
        )
      }
    }
  }
}

function contract(
  exchangeToken: number,
  segmentCode: number,
  exchange: string,
  name: string,
  expiry: string,
  strike: number,
  kind: string,
  tickSize: number,
  lot: number,
  expiryCode: string,
): Instrument {
  return {
    instrument_token: tokenOf(exchangeToken, segmentCode),
    exchange_token: exchangeToken,
    tradingsymbol: `${name}${expiryCode}${kind === 'FUT' ? 'FUT' : `${strike}${kind}`}`,
    name,
    expiry,
    strike,
    tick_size: tickSize,
    lot_size: lot,
    instrument_type: kind,
    segment: `${exchange}-${kind === 'FUT' ? 'FUT' : 'OPT'}`,
    exchange,
  }
}
