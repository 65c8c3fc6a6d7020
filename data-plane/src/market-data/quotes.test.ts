import { quotes } from '@ticker/shared/domain'
import { expect, it } from 'vitest'
import { fakeClock } from '../testing/fake-clock.ts'
import { fakeTickSource } from '../testing/fake-tick-source.ts'
import { createQuotes } from './quotes.ts'

const [A, B, C, D] = [257, 513, 769, 1025]

it('says the last tick of each with its age, why there is none, and what is not known', async () => {
  const clock = fakeClock()
  const source = fakeTickSource(clock, { tokens: [A, B, C, D] })
  source.want('desk', [A, B, C])
  const read = createQuotes({ clock, source })
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
