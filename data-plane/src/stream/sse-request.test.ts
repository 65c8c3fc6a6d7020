import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSseRequest } from './sse-request.ts'

const parse = (query: string, lastEventId?: string) =>
  parseSseRequest(new URLSearchParams(query), lastEventId)
const pathsOf = (query: string, lastEventId?: string) => {
  const parsed = parse(query, lastEventId)
  return parsed.ok ? [] : parsed.errors.map(({ path }) => path)
}

describe('the query of /v1/stream/sse', () => {
  it('reads tokens and symbols, repeated or between commas, with the defaults of subscribe', () => {
    expect(
      parse('instruments=408065,NSE:INFY&instruments=NSE:NIFTY%2050&instruments=NSE:M%26M,NSE:BAJAJ-AUTO'),
    ).toEqual({
      ok: true,
      subscribe: {
        op: 'subscribe',
        instruments: [408065, 'NSE:INFY', 'NSE:NIFTY 50', 'NSE:M&M', 'NSE:BAJAJ-AUTO'],
        mode: 'full',
        delivery: 'every',
        rate_hz: 4,
      },
      resume: undefined,
    })
    expect(parse('instruments=1&mode=ltp&delivery=latest&rate_hz=2.5')).toMatchObject({
      ok: true,
      subscribe: { mode: 'ltp', delivery: 'latest', rate_hz: 2.5 },
    })
  })

  it('with an interval is one of candles, and takes nothing that is of ticks', () => {
    expect(parse('instruments=408065,NSE:INFY&interval=5m', '1:2')).toEqual({
      ok: true,
      subscribe: { op: 'subscribe_candles', instruments: [408065, 'NSE:INFY'], interval: '5m' },
      resume: undefined,
    })
    expect(pathsOf('instruments=1&interval=2m')).toEqual(['interval'])
    expect(pathsOf('instruments=1&interval=1m&mode=ltp')).toEqual([''])
  })

  it('gives back any instruments as they were encoded', () => {
    const symbol = fc.stringMatching(/^[A-Z]{2,10}:[A-Z0-9&][A-Z0-9 &.+%=?#-]{0,20}$/)
    const refs = fc.array(fc.oneof(symbol, fc.integer({ min: 1, max: 4_294_967_295 })), { minLength: 1 })
    fc.assert(
      fc.property(refs, (instruments) => {
        const query = `instruments=${instruments.map((ref) => encodeURIComponent(ref)).join(',')}`
        expect(parse(query)).toMatchObject({ ok: true, subscribe: { instruments } })
      }),
    )
  })

  it.each([
    ['', 'instruments'],
    ['instruments=', 'instruments.0'],
    ['instruments=NSE:INFY:EQ', 'instruments.0'],
    ['instruments=1,,2', 'instruments.1'],
    ['instruments=0', 'instruments.0'],
    ['instruments=1&mode=depth', 'mode'],
    ['instruments=1&mode=ltp&mode=ltp', 'mode'],
    ['instruments=1&delivery=some', 'delivery'],
    ['instruments=1&rate_hz=', 'rate_hz'],
    ['instruments=1&rate_hz=21', 'rate_hz'],
    ['instruments=1&rate_hz=fast', 'rate_hz'],
    ['instruments=1&op=ping', ''],
    ['instruments=1&ticket=secret', ''],
    ['instruments=1&__proto__=x', ''],
    [`instruments=${Array.from({ length: 3_001 }, (_, index) => index + 1)}`, 'instruments'],
  ])('refuses "%s" and says where', (query, path) => {
    expect(pathsOf(query)).toEqual([path])
  })

  it('names what is unknown, never its value, and not every one of a thousand faults', () => {
    expect(JSON.stringify(parse('instruments=1&ticket=secret'))).not.toContain('secret')
    expect(pathsOf(`instruments=${'::,'.repeat(1_000)}`)).toHaveLength(20)
  })
})

describe('Last-Event-ID', () => {
  it('is what to resume after; none, or an empty one, is a new start', () => {
    expect(parse('instruments=1', '18446744073709551615:12')).toMatchObject({
      resume: { op: 'resume', stream_id: '18446744073709551615', seq: 12 },
    })
    for (const none of [undefined, ''])
      expect(parse('instruments=1', none)).toMatchObject({ resume: undefined })
  })

  it.each(['12', 'a:1', '1:', ':1', '1:-1', '1:1.5', '1:99999999999999999', `${'1'.repeat(21)}:1`, '1:1\n'])(
    'is refused when it is no id of an event: "%s"',
    (id) => {
      expect(pathsOf('instruments=1', id)).toEqual(['Last-Event-ID'])
    },
  )
})
