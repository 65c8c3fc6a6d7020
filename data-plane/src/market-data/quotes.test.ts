import { type QuotesRequest, quotes } from '@ticker/shared/domain'
import { expect, it } from 'vitest'
import type { BrokerQuotes } from '../broker-reads/broker-quotes.ts'
import type { Clock } from '../clock.ts'
import { fakeClock } from '../testing/fake-clock.ts'
import type { FakeTickSource } from '../testing/fake-tick-source.ts'
import { fakeTickSource } from '../testing/fake-tick-source.ts'
import { createQuotes } from './quotes.ts'

const [A, B, C, D] = [257, 513, 769, 1025]

/** Without a fallback nobody waits for an answer. */
function reading(clock: Clock, source: FakeTickSource) {
  const broker: BrokerQuotes = { read: () => Promise.reject(new Error('nothing is asked of the broker')) }
  const read = createQuotes({ clock, source, broker })
  return (request: QuotesRequest) => {
    const answer = read(request)
    if (answer instanceof Promise) throw new Error('it has to wait')
    return answer
  }
}

it('says the last tick of each with its age, why there is none, and what is not known', async () => {
  const clock = fakeClock()
  const source = fakeTickSource(clock, { tokens: [A, B, C, D] })
  source.want('desk', [A, B, C])
  const read = reading(clock, source)
  source.tick(A, 100.05)
  source.tick(B, 7, 'ltp')
  source.tick(D, 9)
  source.setServing(B, 'stale')
  await clock.advance(1_500)
  const answer = read({ owner: 'desk', instruments: ['NSE:SYM513', A, C, D, A, 'NSE:NOPE', 5] })
  expect(quotes.parse(answer)).toEqual(answer)
  expect(answer).toMatchObject({
    quotes: [
      { instrument_token: B, tradingsymbol: 'SYM513', state: 'stale', tick: { mode: 'ltp', last_price: 7 } },
      {
        instrument_token: A,
        exchange: 'NSE',
        state: 'live',
        age_ms: 1_500,
        tick: { mode: 'full', last_price: 100.05, bid: null, ask: null, oi: 0 },
      },
      { instrument_token: C, state: 'waiting', age_ms: null, tick: null },
      { instrument_token: D, state: 'not_streamed', age_ms: null, tick: null },
    ],
    unknown: ['NSE:NOPE', 5],
    synthetic: true,
  })
  source.tick(A, 100.1)
  source.want('thrifty', [A], undefined, 'ltp')
  const thrifty = read({ owner: 'thrifty', instruments: [A] }).quotes[0]?.tick
  // Another owner has it in full.
  expect(thrifty).toEqual({ mode: 'ltp', tradable: true, last_price: 100.1, bid: null, ask: null })
  const others = read({ owner: 'another desk', instruments: [A] })
  expect(others.quotes).toMatchObject([{ state: 'not_streamed', tick: null }])
})

it('with a fallback, has the broker’s quote of what there is no tick of, says so, and why not of the rest', async () => {
  const clock = fakeClock()
  const source = fakeTickSource(clock, { tokens: [A, B, C, D] })
  source.want('desk', [A, B])
  source.tick(A, 100.05)
  const level = (price: number) => ({ price, quantity: 1, orders: 1 })
  const quote = (instrument_token: number) => ({
    ...{ instrument_token, last_price: 99, ohlc: { open: 1, high: 2, low: 1, close: 90 } },
    ...{
      timestamp: 1_795_000_000,
      last_trade_time: null,
      last_quantity: 5,
      average_price: 98.5,
      volume: 1_000,
    },
    ...{ buy_quantity: 1, sell_quantity: 2, oi: 0, oi_day_high: 0, oi_day_low: 0 },
    ...{ lower_circuit_limit: 80, upper_circuit_limit: 120 },
    depth: { buy: [level(98.9)], sell: [level(0)] },
  })
  let asked: readonly string[] = []
  const atMs = clock.monotonicMs()
  const broker: BrokerQuotes = {
    async read(owner, keys) {
      expect(owner).toBe('desk')
      asked = keys
      // D is another instrument at the broker by now.
      const known = { 'NSE:SYM769': quote(C), 'NSE:SYM1025': quote(7) }
      return {
        quotes: new Map(Object.entries(known).map(([key, each]) => [key, { quote: each, atMs }])),
        refused: { refusal: 'budget_exhausted', detail: null },
      }
    },
  }
  await clock.advance(300)
  const request: QuotesRequest = { owner: 'desk', instruments: [A, B, C, D], fallback: 'broker' }
  const answer = await createQuotes({ clock, source, broker })(request)
  expect(quotes.parse(answer)).toEqual(answer)
  expect(asked).toEqual(['NSE:SYM513', 'NSE:SYM769', 'NSE:SYM1025'])
  expect(answer).toMatchObject({
    quotes: [
      { state: 'live', source: 'ticks', tick: { last_price: 100.05 } },
      { state: 'waiting', source: null, tick: null },
      {
        ...{ state: 'not_streamed', source: 'broker', age_ms: 300 },
        tick: { last_price: 99, volume_traded: 1_000, change_percent: 10, bid: 98.9, ask: null },
      },
      { state: 'not_streamed', source: null, tick: null },
    ],
    fallback: { asked: 3, answered: 1, refusal: 'budget_exhausted', detail: null },
  })
})
