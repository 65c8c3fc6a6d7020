import { expect, it } from 'vitest'
import { createInstrumentDirectory } from './instrument-directory.ts'
import { resolveRefs } from './resolve-refs.ts'

const share = (instrument_token: number, tradingsymbol: string) => ({
  ...{ instrument_token, tradingsymbol, exchange: 'NSE', segment: 'NSE', name: tradingsymbol, expiry: null },
  ...{ tick_size: 0.05, lot_size: 1, instrument_type: 'EQ', strike: 0 },
})
const directory = createInstrumentDirectory([
  share(408_065, 'INFY'),
  share(256_265, 'NIFTY 50'),
  share(1_025, 'ODD-BE'),
])

it('finds tokens, names and aliases, each instrument once, and says which refs name none', () => {
  const refs = ['INFY.NS', 408_065, 'NSE:INFY-EQ', '^NSEI', 'NSE:ODD-BE', 'BSE:INFY.NS', 'NOPE', 7]
  const { instruments, unknown } = resolveRefs(directory, refs)
  expect(instruments.map(({ tradingsymbol }) => tradingsymbol)).toEqual(['INFY', 'NIFTY 50', 'ODD-BE'])
  expect(unknown).toEqual(['BSE:INFY.NS', 'NOPE', 7])
})
