// The option chains of /v1/stream without options: NIFTY has a chain, everything else has none.
import type { OptionChain } from '@ticker/shared/domain'
import { Registry } from 'prom-client'
import type { Clock } from '../clock.ts'
import { createChainStream } from '../option-chain/chain-stream.ts'
import type { OptionChains } from '../option-chain/option-chains.ts'
import { STREAM_BOUNDS } from '../stream/bounds.ts'

export const NIFTY_CHAIN: OptionChain = {
  underlying: 'NIFTY',
  exchange: 'NFO',
  expiry: '2026-12-29',
  expires_at: '2026-12-29T10:10:00.000Z',
  expires_at_confirmed: true,
  days_to_expiry: 34.2,
  expiries: ['2026-12-29'],
  model: 'bsm',
  rate: 0.065,
  dividend_yield: 0,
  spot: { instrument: 'NSE:NIFTY 50', price: 25_000, age_ms: 20, live: true },
  future: null,
  forward: 25_152.7,
  unavailable: null,
  atm_strike: 25_150,
  atm_iv: null,
  skew_25d: null,
  pcr_oi: null,
  pcr_volume: null,
  max_pain: null,
  max_pain_strikes: 0,
  legs: { listed: 1, streamed: 1, with_oi: 0, with_iv: 0 },
  strikes: [
    {
      strike: 25_150,
      put: null,
      call: {
        instrument_token: 258,
        tradingsymbol: 'NIFTY26DEC25150CE',
        last_price: null,
        bid: null,
        ask: null,
        volume: null,
        oi: null,
        age_ms: null,
        price: null,
        iv: null,
        delta: null,
        gamma: null,
        theta: null,
        vega: null,
        rho: null,
        unavailable: 'waiting',
      },
    },
  ],
  synthetic: true,
  computed_at: '2026-11-25T10:00:00.000Z',
}

export const fakeChains: OptionChains = {
  spelledOut: (request) => ({ exchange: 'NFO', strikes: 20, rate: 0.065, dividend_yield: 0, ...request }),
  read: (_, { underlying }) =>
    underlying === 'NIFTY'
      ? { ok: true, chain: NIFTY_CHAIN }
      : { ok: false, refusal: 'chain_unknown', detail: `No live option of "${underlying}" is listed.` },
}

export const fakeChainStream = (clock: Clock, chains: OptionChains = fakeChains, chainsMax?: number) =>
  createChainStream({
    clock,
    registry: new Registry(),
    chains,
    conflateAboveBytes: STREAM_BOUNDS.conflateAboveBytes,
    ...(chainsMax === undefined ? {} : { chainsMax }),
  })
