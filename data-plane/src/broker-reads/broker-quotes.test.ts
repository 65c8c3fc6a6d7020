import type { KiteOutcome, KiteQuote } from '@ticker/shared/kite-http'
import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'
import type { OwnedAccount } from '../ownership/owned-account.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { ownedAccount } from '../testing/owned-accounts.ts'
import {
  type BrokerQuotes,
  createBrokerQuotes,
  FRESH_MS,
  REQUESTS_PER_OWNER_MAX,
  TURN_WITHIN_MS,
} from './broker-quotes.ts'
import { createReadGovernor } from './governor.ts'

type Answer = KiteOutcome<ReadonlyMap<string, KiteQuote>>

const quote = (instrument_token: number): KiteQuote => ({
  ...{ instrument_token, last_price: 100, ohlc: { open: 1, high: 2, low: 1, close: 99 } },
  ...{ timestamp: null, last_trade_time: null, last_quantity: undefined, average_price: undefined },
  ...{ volume: undefined, buy_quantity: undefined, sell_quantity: undefined, oi: undefined },
  ...{ oi_day_high: undefined, oi_day_low: undefined, depth: undefined },
  ...{ lower_circuit_limit: undefined, upper_circuit_limit: undefined },
})
const refused = (status: number, error_type: string): Answer => ({
  ok: false,
  failure: { kind: 'refused', status, error_type, message: 'said the broker' },
})

let clock: FakeClock
let accounts: OwnedAccount[]
let calls: { api_key: string; keys: readonly string[]; atMs: number }[]
let answer: (keys: readonly string[]) => Answer | Promise<Answer>
let dead: string[]
let quotes: BrokerQuotes

beforeEach(() => {
  clock = fakeClock()
  accounts = [ownedAccount('a'), ownedAccount('theirs', { owner: 'other' })]
  calls = []
  dead = []
  answer = (keys) => ({ ok: true, data: new Map(keys.map((key) => [key, quote(257)])) })
  const registry = new Registry()
  quotes = createBrokerQuotes({
    clock,
    registry,
    governor: createReadGovernor({ clock, registry, name: 'quotes', perSecondMax: 1 }),
    accounts: (owner) => accounts.filter((each) => each.owner === owner),
    async fetch({ api_key }, keys) {
      calls.push({ api_key, keys, atMs: clock.monotonicMs() })
      return answer(keys)
    },
    onSessionDead: async (accountId, version) => void dead.push(`${accountId} ${version}`),
  })
})

const read = (keys: readonly string[], owner = 'desk') => quotes.read(owner, keys)

describe('quotes of the broker', () => {
  it('are asked for once a moment, by the owner’s own account, and not for another owner', async () => {
    const [first, second] = await Promise.all([read(['NSE:A', 'NSE:B']), read(['NSE:B'])])
    expect([first?.quotes.size, second?.quotes.size, calls.length]).toEqual([2, 1, 1])
    await read(['NSE:A'])
    expect(calls).toMatchObject([{ api_key: 'api-a', keys: ['NSE:A', 'NSE:B'] }])
    await read(['NSE:A'], 'other')
    expect(calls[1]).toMatchObject({ api_key: 'api-theirs' })
    await clock.advance(FRESH_MS)
    await read(['NSE:A'])
    expect(calls).toHaveLength(3)
  })

  it('use no account that the caller may not use', async () => {
    accounts.push(ownedAccount('b'))
    await quotes.read('desk', ['NSE:A'], ['b'])
    expect(calls.map(({ api_key }) => api_key)).toEqual(['api-b'])
    expect((await quotes.read('desk', ['NSE:B'], ['theirs'])).refused?.refusal).toBe('session_inactive')
  })

  it('what the broker does not know is known not to be known, for a moment', async () => {
    answer = () => ({ ok: true, data: new Map() })
    const known = (await read(['NSE:NEW'])).quotes.get('NSE:NEW')
    expect([known?.quote, known?.atMs]).toEqual([undefined, clock.monotonicMs()])
    await read(['NSE:NEW'])
    expect(calls).toHaveLength(1)
  })

  it('500 a request and one request a second of each account', async () => {
    const keys = Array.from({ length: 1_100 }, (_, n) => `NSE:S${n}`)
    const reading = read(keys)
    await clock.advance(5_000)
    const { quotes: found, refused: why } = await reading
    expect([found.size, why]).toEqual([1_100, undefined])
    expect(calls.map((call) => call.keys.length)).toEqual([500, 500, 100])
    const [first = 0, second = 0, third = 0] = calls.map(({ atMs }) => atMs)
    expect(Math.min(second - first, third - second)).toBeGreaterThan(1_000)
  })

  it('say why there are none: no session, a dead one, too many, the broker’s words, no answer', async () => {
    const why = async (said: Answer) => {
      answer = () => said
      const reading = read(['NSE:A'])
      await clock.advance(TURN_WITHIN_MS)
      return (await reading).refused
    }
    expect(await why(refused(403, 'PermissionException'))).toEqual({
      ...{ refusal: 'broker_refused', detail: 'PermissionException: said the broker' },
    })
    expect((await why(refused(429, 'NetworkException')))?.refusal).toBe('budget_exhausted')
    expect((await why({ ok: false, failure: { kind: 'timeout' } }))?.refusal).toBe('broker_unreachable')
    expect(dead).toEqual([])
    expect((await why(refused(403, 'TokenException')))?.refusal).toBe('session_inactive')
    expect(dead).toEqual(['a 1'])
    accounts = []
    expect((await read(['NSE:A'])).refused?.refusal).toBe('session_inactive')
  })

  it('whoever would wait too long for a turn, or has too much waiting, is told so; what came before it stays', async () => {
    answer = async (keys) => ({ ok: true, data: new Map(keys.map((key) => [key, quote(257)])) })
    const many = Array.from({ length: REQUESTS_PER_OWNER_MAX + 1 }, (_, n) => read([`NSE:S${n}`]))
    // One is served at once; of the ten that wait some have their turn in time.
    const last = await read(['NSE:ONE-MORE'])
    expect(last.refused?.refusal).toBe('budget_exhausted')
    await clock.advance(2 * TURN_WITHIN_MS)
    const refusals = (await Promise.all(many)).map((each) => each.refused?.refusal)
    expect(refusals.slice(0, 5)).toEqual(Array(5).fill(undefined))
    expect(refusals.at(-1)).toBe('budget_exhausted')
    expect((await read(['NSE:LATER'])).refused).toBeUndefined()
  })

  it('a request that fails in our own code is an answer too, and may be asked again', async () => {
    answer = () => {
      throw new Error('a bug')
    }
    expect((await read(['NSE:A'])).refused?.refusal).toBe('broker_unreachable')
    answer = (keys) => ({ ok: true, data: new Map(keys.map((key) => [key, quote(257)])) })
    await clock.advance(1_100)
    expect((await read(['NSE:A'])).quotes.size).toBe(1)
  })
})
