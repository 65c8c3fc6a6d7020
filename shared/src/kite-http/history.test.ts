import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Secret } from '../crypto/secret.ts'
import { candleReader, getHistory, type HistoryRequest } from './history.ts'

const REQUEST: HistoryRequest = {
  instrument_token: 408065,
  interval: 'minute',
  fromDay: '2026-11-24',
  toDay: '2026-11-25',
  continuous: false,
}
const BODY =
  '{"status":"success","data":{"candles":[["2026-11-24T15:29:00+0530",1500.05,1501,1499.9,1500,1200,0],\n' +
  '["2026-11-25T09:15:00+0530",1502,1502,1502,1502,0]]}}'
const DAYS = [
  ['2026-11-24', [[929, 1500.05, 1501, 1499.9, 1500, 1200, 0]]],
  ['2026-11-25', [[555, 1502, 1502, 1502, 1502, 0, null]]],
]

function read(pieces: string[], status = 200) {
  const reader = candleReader()
  for (const piece of pieces) reader.take(piece)
  const outcome = reader.end(status)
  return outcome.ok ? [...outcome.data] : outcome.failure
}

describe('the broker’s candles', () => {
  it('are the same however the body was cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(BODY.length)), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), BODY.length]
        const pieces = at.slice(1).map((end, index) => BODY.slice(at[index], end))
        expect(read(pieces)).toEqual(DAYS)
      }),
    )
  })

  it('may be none, and many', () => {
    expect(read(['{"status":"success","data":{"candles":[]}}'])).toEqual([])
    const rows = Array.from({ length: 3_000 }, (_, index) => {
      const day = String(1 + Math.floor(index / 1_000)).padStart(2, '0')
      const minute = index % 1_000
      const time = `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
      return `["2026-11-${day}T${time}:00+0530",1,1,1,1,${index},5]`
    })
    const pieces = `{"status":"success","data":{"candles":[${rows.join(',')}]}}`.match(/.{1,5000}/g) ?? []
    const days = read(pieces)
    expect(Array.isArray(days) && days.map(([day, bars]) => [day, bars.length, bars.at(-1)?.[5]])).toEqual([
      ['2026-11-01', 1_000, 999],
      ['2026-11-02', 1_000, 1_999],
      ['2026-11-03', 1_000, 2_999],
    ])
  })

  it('cut short, or in another envelope, are none at all', () => {
    for (const body of [
      BODY.slice(0, -1),
      BODY.slice(0, -3),
      BODY.slice(0, -20),
      BODY.replace('success', 'maybe'),
      '{"status":"success","data":{}}',
      '<html>',
    ])
      expect([body, read([body])]).toEqual([body, { kind: 'unreadable', status: 200 }])
  })

  it('a refusal keeps its words', () => {
    const body =
      '{"status":"error","message":"interval exceeds max limit: 60 days","data":null,"error_type":"InputException"}'
    expect(read([body], 400)).toEqual({
      kind: 'refused',
      status: 400,
      error_type: 'InputException',
      message: 'interval exceeds max limit: 60 days',
    })
  })
})

describe('asking for them', () => {
  const credentials = { api_key: 'key', access_token: new Secret('token') }
  const asked = (body: string) => {
    const seen: [string, RequestInit | undefined][] = []
    const http = {
      root: 'http://broker',
      timeoutMs: 1_000,
      fetch: async (url: string | URL | Request, init?: RequestInit) => {
        seen.push([String(url), init])
        return new Response(body)
      },
    }
    return { seen, outcome: getHistory(http, credentials, REQUEST) }
  }

  it('names whole days of India, and asks for open interest', async () => {
    const { seen, outcome } = asked(BODY)
    expect(await outcome).toEqual({ ok: true, data: new Map(DAYS.map(([day, bars]) => [day, bars])) })
    expect(seen[0]?.[0]).toBe(
      'http://broker/instruments/historical/408065/minute?from=2026-11-24+00%3A00%3A00&to=2026-11-25+23%3A59%3A59&oi=1',
    )
    expect(new Headers(seen[0]?.[1]?.headers).get('authorization')).toBe('token key:token')
  })

  it.each([
    ['a time of another zone', BODY.replace('+0530', '+0000')],
    ['a price that is none', BODY.replace('1500.05', '"1500.05"')],
    ['a candle twice', BODY.replace('2026-11-25T09:15', '2026-11-24T15:29')],
  ])('%s is unreadable', async (_what, body) => {
    expect(await asked(body).outcome).toEqual({ ok: false, failure: { kind: 'unreadable', status: 200 } })
  })
})
