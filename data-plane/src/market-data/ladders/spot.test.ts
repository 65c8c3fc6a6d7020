import { encodePacket } from '@ticker/shared/kite-wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { type FakeClock, fakeClock } from '../../testing/fake-clock.ts'
import { createTickStore, type TickStore } from '../tick-store.ts'
import type { Chain } from './chain.ts'
import { createSpotReader, SPOT_STALE_AFTER_MS, type SpotReader } from './spot.ts'

const [NSE_INDEX, NFO] = [9, 2]
const INDEX = 1001 * 256 + NSE_INDEX
const FUTURE = 35_000 * 256 + NFO
const OPTION = 40_000 * 256 + NFO
const chain: Chain = {
  expiries: [],
  underlying: { token: INDEX, key: 'NSE:NIFTY 50' },
  standIn: { token: FUTURE, key: 'NFO:NIFTYFUT' },
}

let clock: FakeClock
let store: TickStore
let read: SpotReader
let serving: Map<number, 'live' | 'stale'>
let closed: Set<number>

beforeEach(() => {
  clock = fakeClock()
  store = createTickStore(4)
  serving = new Map([
    [INDEX, 'live'],
    [FUTURE, 'live'],
  ])
  closed = new Set()
  read = createSpotReader({
    clock,
    store,
    serving: (token) => serving.get(token),
    isOpen: (segment) => !closed.has(segment),
  })
})

function tick(token: number, price: number) {
  const packet = Buffer.from(encodePacket({ instrument_token: token, last_price: price }, 'ltp'))
  store.put(token, packet, 0, packet.length, 1, clock.nowMs())
}
const look = () => read(chain, OPTION)

describe('the spot of a ladder', () => {
  it('is the last tick of the underlying, with its age', async () => {
    expect(look()).toEqual({ state: 'no_spot' })
    tick(INDEX, 24_010.05)
    await clock.advance(1_500)
    expect(look()).toEqual({
      state: 'live',
      spot: { key: 'NSE:NIFTY 50', price: 24_010.05, ageMs: 1_500, live: true },
    })
  })

  it('is stale when the tick is old or its socket is not alive, and says the last price all the same', async () => {
    tick(INDEX, 24_010)
    serving.set(INDEX, 'stale')
    expect(look()).toMatchObject({ state: 'spot_stale', spot: { price: 24_010 } })
    serving.set(INDEX, 'live')
    await clock.advance(SPOT_STALE_AFTER_MS + 1)
    expect(look()).toMatchObject({ state: 'spot_stale', spot: { ageMs: SPOT_STALE_AFTER_MS + 1 } })
  })

  it('is none while the price is 0: an instrument that never traded', () => {
    tick(INDEX, 0)
    expect(look()).toEqual({ state: 'no_spot' })
  })

  it('in the closing auction is the near future less what it last stood above the index', () => {
    tick(INDEX, 24_000)
    tick(FUTURE, 24_120)
    expect(look()).toMatchObject({ state: 'live', spot: { price: 24_000 } })
    closed.add(NSE_INDEX)
    tick(FUTURE, 24_180)
    expect(look()).toMatchObject({ state: 'live', spot: { key: 'NFO:NIFTYFUT', price: 24_060 } })
    // What the index did while it stood still does not change the difference.
    tick(INDEX, 23_000)
    expect(look()).toMatchObject({ spot: { price: 24_060 } })
    closed.clear()
    expect(look()).toMatchObject({ state: 'live', spot: { key: 'NSE:NIFTY 50', price: 23_000 } })
  })

  it('without that difference, or with a silent future, the index stands', async () => {
    closed.add(NSE_INDEX)
    tick(INDEX, 24_000)
    tick(FUTURE, 24_120)
    expect(look()).toMatchObject({ state: 'spot_stale', spot: { price: 24_000 } })
    closed.clear()
    look()
    closed.add(NSE_INDEX)
    serving.set(FUTURE, 'stale')
    expect(look()).toMatchObject({ state: 'spot_stale', spot: { key: 'NSE:NIFTY 50' } })
  })

  it('by a calendar that knows nothing, a tick is a tick', () => {
    closed.add(NSE_INDEX).add(NFO)
    tick(INDEX, 24_000)
    expect(look()).toMatchObject({ state: 'live' })
  })
})
