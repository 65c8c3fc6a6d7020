import { type OptionChain, type OptionChainRequest, optionChain } from '@ticker/shared/domain'
import { encodePacket, type Mode, type Tick } from '@ticker/shared/kite-wire'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { optionValue } from '@ticker/shared/option-pricing'
import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'
import type { InstrumentDirectory } from '../market-data/instrument-directory.ts'
import { createTickStore, type TickStore } from '../market-data/tick-store.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { NIFTY_50, registryOf, steps } from '../testing/option-chains.ts'
import { createOptionChains, type OptionChains } from './option-chains.ts'

const NEAR = '2026-12-01'
const NEXT = '2026-12-08'
const MONTH = '2026-12-29'
const SPOT = 25_013.5
const TERMS = { rate: 0.065, dividendYield: 0.0125 }
const VOLATILITY = 0.13
const [NSE, NFO] = [9, 2]

const registry = registryOf(
  [
    { expiry: NEAR, strikes: steps(24_500, 25_500, 50) },
    { expiry: NEXT, strikes: [25_000] },
    { name: 'DUAL', expiry: NEXT, strikes: [100] },
    { exchange: 'BFO', name: 'DUAL', expiry: NEXT, strikes: [100] },
    { exchange: 'MCX', name: 'CRUDEOIL', expiry: '2026-12-16', strikes: [5_000, 5_100] },
  ],
  [{ expiry: MONTH }, { exchange: 'MCX', name: 'CRUDEOIL', expiry: '2026-12-18' }],
)
const FUTURE = registry.token(`NIFTY${MONTH}FUT`)

let clock: FakeClock
let store: TickStore
let chains: OptionChains
/** Instruments of the owner `desk`, and how they are served. */
let serving: Map<number, 'live' | 'stale'>
let closed: Set<number>
/** Of the owner, where not full. */
let modes: Map<number, Mode>
let isPreOpen: boolean
let seq: number
/** The last day that is over. */
let over: string
let directory: InstrumentDirectory

beforeEach(() => {
  // Monday 23 November 2026, 09:30 in India.
  clock = fakeClock()
  store = createTickStore(4)
  serving = new Map()
  closed = new Set()
  modes = new Map()
  isPreOpen = false
  seq = 0
  over = '2026-11-22'
  directory = registry.directory
  chains = createOptionChains({
    clock,
    registry: new Registry(),
    calendar: createMarketCalendar(),
    isOpen: (segment) => !closed.has(segment),
    isPreOpen: () => isPreOpen,
    isOver: (_, expiry) => expiry <= over,
    termsOf: () => TERMS,
    source: {
      realm: 'sim',
      store,
      directory: () => directory,
      serving: (token) => serving.get(token),
      interest: {
        ownerMode: (owner, token) =>
          owner === 'desk' && serving.has(token) ? (modes.get(token) ?? 'full') : undefined,
      },
    },
  })
})

function tick(token: number, price: number, more: Partial<Tick> = {}, mode: Mode = 'full') {
  const packet = Buffer.from(encodePacket({ instrument_token: token, last_price: price, ...more }, mode))
  seq += 1
  store.put(token, packet, 0, packet.length, seq, clock.nowMs())
  if (!serving.has(token)) serving.set(token, 'live')
}
const yearsTo = (date: string) => (Date.parse(`${date}T15:40:00+05:30`) - clock.nowMs()) / (365 * 86_400_000)
const worth = (type: 'CE' | 'PE', strike: number, expiry = NEAR) =>
  optionValue(
    { type, strike, years: yearsTo(expiry) },
    { model: 'bsm', underlying: SPOT, ...TERMS },
    VOLATILITY,
  )
const token = (strike: number, type: 'CE' | 'PE', expiry = NEAR) =>
  registry.token(`NIFTY${expiry}${strike}${type}`)
function tickAll(more: Partial<Tick> = { oi: 1_000, volume_traded: 500 }) {
  tick(NIFTY_50, SPOT, {}, 'ltp')
  for (const strike of steps(24_500, 25_500, 50))
    for (const type of ['CE', 'PE'] as const) tick(token(strike, type), worth(type, strike), more)
}
const ask = (request: Partial<OptionChainRequest> = {}, owner = 'desk') =>
  chains.read(owner, { underlying: 'NIFTY', ...request })
function read(request: Partial<OptionChainRequest> = {}): OptionChain {
  const outcome = ask(request)
  if (!outcome.ok) throw new Error(outcome.detail)
  return optionChain.parse(outcome.chain)
}
const leg = (chain: OptionChain, strike: number, type: 'call' | 'put') => {
  const found = chain.strikes.find((each) => each.strike === strike)?.[type]
  if (!found) throw new Error(`no ${type} of ${strike}`)
  return found
}

describe('an option chain', () => {
  it('has of a leg what its owner has it streamed for, though another has more of it', () => {
    tickAll()
    modes.set(token(25_000, 'CE'), 'ltp')
    modes.set(token(25_000, 'PE'), 'quote')
    const chain = read()
    expect(leg(chain, 25_000, 'call')).toMatchObject({ bid: null, volume: null, oi: null })
    expect(leg(chain, 25_000, 'put')).toMatchObject({ bid: null, volume: 500, oi: null })
    expect(leg(chain, 25_050, 'put')).toMatchObject({ volume: 500, oi: 1_000 })
    expect(chain.max_pain_strikes).toBe(20)
  })

  it('says so before the opening, when prices are of the day before', () => {
    tickAll()
    isPreOpen = true
    const chain = read()
    expect([chain.unavailable, chain.atm_iv, leg(chain, 25_000, 'call').unavailable]).toEqual([
      ...['pre_open', null, 'pre_open'],
    ])
  })

  it('is one request whether what is usual is said or not', () => {
    const spelled = chains.spelledOut({ underlying: 'NIFTY' })
    expect(spelled).toEqual({
      ...{ underlying: 'NIFTY', exchange: 'NFO', strikes: 20, rate: TERMS.rate },
      dividend_yield: TERMS.dividendYield,
    })
    expect(chains.spelledOut(spelled)).toEqual(spelled)
    expect(chains.spelledOut({ underlying: 'DUAL' })).not.toHaveProperty('exchange')
  })

  it('gives back the volatility that its prices were made of, and what follows from it', () => {
    tickAll()
    const chain = read()
    expect(chain).toMatchObject({
      underlying: 'NIFTY',
      exchange: 'NFO',
      expiry: NEAR,
      expires_at: '2026-12-01T10:10:00.000Z',
      expires_at_confirmed: true,
      days_to_expiry: expect.closeTo(8.256944, 6),
      expiries: [NEAR, NEXT],
      model: 'bsm',
      rate: 0.065,
      dividend_yield: 0.0125,
      spot: { instrument: 'NSE:NIFTY 50', price: SPOT, age_ms: 0, live: true },
      future: null,
      unavailable: null,
      atm_strike: 25_050,
      pcr_oi: 1,
      pcr_volume: 1,
      max_pain: 25_000,
      legs: { listed: 42, streamed: 42, with_oi: 42, with_iv: 42 },
      synthetic: true,
      computed_at: '2026-11-23T04:00:00.000Z',
    })
    expect(chain.forward).toBeCloseTo(SPOT * Math.exp(0.0525 * yearsTo(NEAR)), 4)
    expect(chain.atm_iv).toBeCloseTo(VOLATILITY, 4)
    expect(chain.skew_25d).toBeCloseTo(0, 4)
    expect(leg(chain, 25_000, 'call')).toMatchObject({
      tradingsymbol: `NIFTY${NEAR}25000CE`,
      oi: 1_000,
      iv: expect.closeTo(VOLATILITY, 4),
      delta: expect.closeTo(0.538, 2),
      unavailable: null,
    })
    expect(leg(chain, 25_000, 'put').theta).toBeLessThan(0)
  })

  it('shows the wanted strikes around the money, and computes over all of them', () => {
    tickAll()
    const chain = read({ strikes: 1 })
    expect(chain.strikes.map(({ strike }) => strike)).toEqual([25_000, 25_050, 25_100])
    expect(chain.legs.with_iv).toBe(42)
  })

  it('takes the middle of bid and ask where both are there, else the last price, if anybody stands by it', () => {
    tickAll()
    const level = (price: number) => [
      { quantity: 75, price, orders: 1 },
      ...Array.from({ length: 4 }, () => ({ quantity: 0, price: 0, orders: 0 })),
    ]
    tick(token(25_000, 'CE'), 5, { depth: { buy: level(160), sell: level(162) } })
    tick(token(25_000, 'PE'), 128, { depth: { buy: level(0), sell: level(129) } })
    tick(token(25_050, 'PE'), 130, { depth: { buy: level(0), sell: level(129) } })
    tick(token(25_100, 'CE'), 130, { depth: { buy: level(131), sell: level(0) } })
    tick(token(25_100, 'PE'), 130, { depth: { buy: level(0.05), sell: level(400) } })
    tick(token(25_500, 'CE'), 5, { depth: { buy: level(0.05), sell: level(0.5) } })
    const chain = read()
    expect(leg(chain, 25_000, 'call')).toMatchObject({ last_price: 5, bid: 160, ask: 162, price: 161 })
    expect(leg(chain, 25_000, 'put')).toMatchObject({ bid: null, ask: 129, price: 128 })
    // Beaten by what is quoted now, or quoted so wide that it says nothing; ten ticks are never wide.
    for (const [strike, type] of [
      [25_050, 'put'],
      [25_100, 'call'],
      [25_100, 'put'],
    ] as const)
      expect(leg(chain, strike, type)).toMatchObject({ price: null, iv: null, unavailable: 'no_price' })
    expect(leg(chain, 25_500, 'call').price).toBe(0.275)
  })

  it('a leg without a volatility says why, and no number stands for "unknown"', () => {
    tick(NIFTY_50, SPOT, {}, 'ltp')
    tick(token(25_000, 'CE'), 120)
    serving.set(token(25_000, 'PE'), 'live')
    tick(token(24_500, 'CE'), 300)
    tick(token(24_550, 'CE'), 26_000)
    tick(token(24_600, 'CE'), 0)
    tick(token(24_650, 'CE'), 400)
    serving.set(token(24_650, 'CE'), 'stale')
    const chain = read()
    const said = (strike: number, type: 'call' | 'put') => leg(chain, strike, type).unavailable
    expect(said(25_000, 'put')).toBe('waiting')
    expect(said(24_500, 'call')).toBe('price_below_intrinsic')
    expect(said(24_550, 'call')).toBe('price_above_bound')
    expect(said(24_600, 'call')).toBe('no_price')
    expect(said(24_650, 'call')).toBe('stale')
    expect(said(24_650, 'put')).toBe('not_streamed')
    for (const type of ['call', 'put'] as const)
      expect(leg(chain, 24_650, type)).toMatchObject({
        iv: null,
        delta: null,
        gamma: null,
        theta: null,
        vega: null,
        rho: null,
      })
    expect(leg(chain, 24_600, 'call').last_price).toBeNull()
    expect(chain.legs).toEqual({ listed: 42, streamed: 6, with_oi: 4, with_iv: 1 })
    expect([chain.atm_iv, chain.skew_25d, chain.pcr_oi]).toEqual([null, null, null])
  })

  it('with a silent spot is priced on the future, carried back to the expiry; without one it has no volatility', async () => {
    tickAll()
    const carried = Math.exp((TERMS.dividendYield - TERMS.rate) * (yearsTo(MONTH) - yearsTo(NEAR)))
    const forward = SPOT * Math.exp((TERMS.rate - TERMS.dividendYield) * yearsTo(NEAR))
    await clock.advance(60_001)
    const silent = read()
    expect(silent).toMatchObject({ unavailable: 'spot_stale', spot: { live: false }, forward: null })
    expect(leg(silent, 25_000, 'call')).toMatchObject({ iv: null, unavailable: 'spot_stale' })
    tick(FUTURE, forward / carried)
    const chain = read()
    expect(chain).toMatchObject({ model: 'black76', unavailable: null, future: { live: true } })
    expect(Math.abs((chain.forward ?? 0) - forward)).toBeLessThan(0.01)
    expect(leg(chain, 25_000, 'call').iv).toBeCloseTo(VOLATILITY, 3)
    expect(read({ model: 'bsm' }).unavailable).toBe('spot_stale')
  })

  it('while the cash market stands still and options trade on, the future prices them; without it nothing does', () => {
    tickAll()
    closed.add(NSE)
    expect(read().unavailable).toBe('spot_stale')
    tick(FUTURE, 25_150)
    expect(read().model).toBe('black76')
    closed.add(NFO)
    expect(read().model).toBe('bsm')
    expect(read({ model: 'black76' }).model).toBe('black76')
  })

  it('of a commodity is on its own future, as it is', () => {
    tick(registry.token('CRUDEOIL2026-12-16' + '5000CE'), 120)
    expect(read({ underlying: 'CRUDEOIL' })).toMatchObject({ unavailable: 'no_spot', spot: null })
    tick(registry.token('CRUDEOIL2026-12-18FUT'), 5_010)
    expect(read({ underlying: 'CRUDEOIL' })).toMatchObject({
      model: 'black76',
      forward: 5_010,
      expires_at: '2026-12-16T18:25:00.000Z',
      expires_at_confirmed: false,
      legs: { with_iv: 1 },
    })
  })

  it('after the close of its last day has expired', async () => {
    tickAll()
    clock.jumpWall(Date.parse(`${NEAR}T15:40:00+05:30`) - clock.nowMs())
    expect(read({ expiry: NEAR })).toMatchObject({ unavailable: 'expired', days_to_expiry: 0, model: null })
    // The registry lists it until midnight; who names no expiry goes on with the next.
    tick(token(25_000, 'CE', NEXT), worth('CE', 25_000, NEXT))
    expect(read().expiry).toBe(NEXT)
  })

  it('goes on with the next expiry when the nearest has ended, and with what a new dump lists', () => {
    tickAll()
    tick(token(25_000, 'CE', NEXT), worth('CE', 25_000, NEXT))
    expect(read().expiry).toBe(NEAR)
    over = NEAR
    expect(read()).toMatchObject({ expiry: NEXT, expiries: [NEXT], legs: { listed: 2, streamed: 1 } })
    const later = registryOf([
      { expiry: NEXT, strikes: [25_000, 25_100] },
      { expiry: MONTH, strikes: [25_000] },
    ])
    directory = later.directory
    expect(read()).toMatchObject({ expiries: [NEXT, MONTH], legs: { listed: 4, streamed: 1 } })
    over = MONTH
    expect(ask()).toMatchObject({ ok: false, refusal: 'chain_unknown' })
  })

  it('takes the rate and yield of the request before the configured', () => {
    tickAll()
    const chain = read({ rate: 0, dividend_yield: 0 })
    expect(chain).toMatchObject({ rate: 0, dividend_yield: 0, forward: SPOT })
    expect(leg(chain, 25_000, 'call').iv).not.toBeCloseTo(VOLATILITY, 3)
  })

  it('is not there for what is not listed, listed twice, or not streamed for who asks', () => {
    tickAll()
    expect(ask({ underlying: 'NOSUCH' })).toMatchObject({ ok: false, refusal: 'chain_unknown' })
    expect(ask({ exchange: 'BFO' })).toMatchObject({ ok: false, refusal: 'chain_unknown' })
    expect(ask({ expiry: '2026-12-02' })).toMatchObject({
      refusal: 'chain_unknown',
      detail: `"NIFTY" has no options of 2026-12-02; there are ${NEAR}, ${NEXT}.`,
    })
    expect(ask({ underlying: 'DUAL' })).toMatchObject({ refusal: 'exchange_ambiguous' })
    expect(ask({ underlying: 'DUAL', exchange: 'BFO' })).toMatchObject({ refusal: 'chain_not_streamed' })
    expect(ask({ expiry: NEXT })).toMatchObject({ ok: false, refusal: 'chain_not_streamed' })
    expect(ask({}, 'another desk')).toMatchObject({ ok: false, refusal: 'chain_not_streamed' })
  })
})
