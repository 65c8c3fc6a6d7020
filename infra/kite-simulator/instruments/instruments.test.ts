import { gunzipSync, gzipSync } from 'node:zlib'
import { divisorOf, isIndexToken, isKnownSegment } from '@ticker/shared/kite-wire'
import { describe, expect, it } from 'vitest'
import { tempFile } from '../testing/temp-file.ts'
import { monthCode, monthlyExpiries, TUESDAY, weekCode, weeklyExpiries } from './expiries.ts'
import { generateInstruments } from './generate.ts'
import { CSV_HEADER, InstrumentBook } from './instrument-book.ts'
import { loadDumps } from './load-dump.ts'

const TODAY = '2026-11-23'

async function file(name: string, content: string) {
  return tempFile(name, name.endsWith('.gz') ? gzipSync(content) : content)
}

describe('the generated market', () => {
  const rows = generateInstruments(1, TODAY)

  it('has thousands of rows of every exchange, and no token or key twice', () => {
    expect(rows.length).toBeGreaterThan(5_000)
    expect(new Set(rows.map((row) => row.exchange))).toEqual(
      new Set(['NSE', 'BSE', 'NFO', 'BFO', 'MCX', 'CDS', 'BCD']),
    )
    expect(new Set(rows.map((row) => row.instrument_token)).size).toBe(rows.length)
    expect(new Set(rows.map((row) => `${row.exchange}:${row.tradingsymbol}`)).size).toBe(rows.length)
  })

  it('obeys the token arithmetic and the index rules of the real dump', () => {
    for (const row of rows) {
      expect(Math.floor(row.instrument_token / 256)).toBe(row.exchange_token)
      expect(isKnownSegment(row.instrument_token)).toBe(true)
      expect(isIndexToken(row.instrument_token)).toBe(row.segment === 'INDICES')
      if (row.segment === 'INDICES') expect([row.tick_size, row.lot_size]).toEqual([0, 0])
      else expect(row.tick_size).toBeGreaterThanOrEqual(1 / divisorOf(row.instrument_token))
    }
  })

  it('carries the real tokens of the well-known names', () => {
    const token = (key: string) =>
      rows.find((row) => `${row.exchange}:${row.tradingsymbol}` === key)?.instrument_token
    expect(token('NSE:NIFTY 50')).toBe(256265)
    expect(token('NSE:NIFTY BANK')).toBe(260105)
    expect(token('NSE:NIFTY FIN SERVICE')).toBe(257801)
    expect(token('NSE:INDIA VIX')).toBe(264969)
    expect(token('BSE:SENSEX')).toBe(265)
    expect(token('NSE:INFY')).toBe(408065)
    expect(token('NSE:RELIANCE')).toBe(738561)
    expect(token('NSE:M&M')).toBe(519937)
  })

  it('is the same for the same seed', () => {
    expect(generateInstruments(1, TODAY)).toEqual(rows)
    expect(generateInstruments(2, TODAY)).not.toEqual(rows)
  })

  it('grows to 100,000 rows, no token or key twice, the smaller market unchanged inside', () => {
    const many = generateInstruments(1, TODAY, 100_000)
    expect(many).toHaveLength(100_000)
    expect(many.slice(0, rows.length)).toEqual(rows)
    expect(new Set(many.map((row) => row.instrument_token)).size).toBe(100_000)
    expect(new Set(many.map((row) => `${row.exchange}:${row.tradingsymbol}`)).size).toBe(100_000)
    expect(generateInstruments(1, TODAY, 10)).toEqual(rows)
    for (const row of many) expect(Math.floor(row.instrument_token / 256)).toBe(row.exchange_token)
  })

  it('lists expiries ahead of the date, in NSE’s and BSE’s weekdays', () => {
    expect(weeklyExpiries(TODAY, TUESDAY, 2)).toEqual(['2026-11-24', '2026-12-01'])
    expect(monthlyExpiries('2026-11-25', TUESDAY, 2)).toEqual(['2026-12-29', '2027-01-26'])
    expect([monthCode('2026-11-24'), weekCode('2026-10-06'), weekCode('2026-09-01')]).toEqual([
      '26NOV',
      '26O06',
      '26901',
    ])
    for (const row of rows) {
      if (row.expiry === '') continue
      expect(row.expiry >= TODAY).toBe(true)
      expect(new Date(row.expiry).getUTCDay()).toBe(row.exchange === 'BFO' ? 4 : 2)
    }
  })
})

describe('dumps', () => {
  it('survive being served and loaded again, names with commas and quotes included', async () => {
    const [first, ...rest] = generateInstruments(1, TODAY).slice(0, 200)
    if (first === undefined) expect.unreachable()
    const rows = [{ ...first, name: 'A "B", C' }, ...rest]
    const csv = gunzipSync(new InstrumentBook(rows).csvGzip(null)).toString()
    expect(csv.startsWith(`${CSV_HEADER}\n`)).toBe(true)
    expect(csv.endsWith('\n')).toBe(false)
    expect(await loadDumps([await file('dump.csv.gz', csv)])).toEqual(rows)
  })

  it('load unquoted floats with CRLF, and the later file wins', async () => {
    const line = '14866434,58072,NIFTY26AUGFUT,NIFTY,0.0,2026-08-25,0.0,0.1,75.0,FUT,NFO-FUT,NFO'
    const old = await file('a.csv', `${CSV_HEADER}\r\n${line}\r\n`)
    const newer = await file('b.csv', `${CSV_HEADER}\n${line.replace('75.0', '"65"')}`)
    const book = new InstrumentBook(await loadDumps([old, newer]))
    expect(book.size).toBe(1)
    expect(book.find('NFO', 'NIFTY26AUGFUT')).toMatchObject({ lot_size: 65, strike: 0, tick_size: 0.1 })
  })

  it('name the file and row that is not an instrument', async () => {
    const bad = await file('bad.csv', `${CSV_HEADER}\nx,1,A,A,0,,0,0,0,EQ,NSE,NSE`)
    await expect(loadDumps([bad])).rejects.toThrow(/bad\.csv, row 1/)
  })
})
