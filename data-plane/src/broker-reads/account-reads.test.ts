import type { KiteOutcome } from '@ticker/shared/kite-http'
import { Registry } from 'prom-client'
import { beforeEach, describe, expect, it } from 'vitest'
import type { OwnedAccount } from '../ownership/owned-account.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { ownedAccount } from '../testing/owned-accounts.ts'
import {
  ACCOUNT_READS_PER_SECOND_MAX,
  type AccountReads,
  createAccountReads,
  TURN_WITHIN_MS,
  WAITING_PER_ACCOUNT_MAX,
} from './account-reads.ts'
import { createReadGovernor, type ReadGovernor } from './governor.ts'

let clock: FakeClock
let registry: Registry
let governor: ReadGovernor
let owned: OwnedAccount | undefined
let asked: { key: string; atMs: number }[]
let answer: KiteOutcome<string>
let dead: string[]
let reads: AccountReads

beforeEach(() => {
  clock = fakeClock()
  registry = new Registry()
  owned = ownedAccount('a')
  asked = []
  dead = []
  answer = { ok: true, data: 'funds' }
  governor = createReadGovernor({
    ...{ clock, registry, name: 'account', perSecondMax: ACCOUNT_READS_PER_SECOND_MAX },
  })
  reads = createAccountReads({
    ...{ clock, registry, governor },
    account: (accountId) => (owned?.accountId === accountId ? owned : undefined),
    onSessionDead: async (accountId, version) => void dead.push(`${accountId} ${version}`),
  })
})

const read = (account_id = 'a', owner = 'desk') =>
  reads.read({ owner, account_id }, 'funds', async ({ api_key }) => {
    asked.push({ key: api_key, atMs: clock.monotonicMs() })
    return answer
  })
const refused = (status: number, error_type: string): KiteOutcome<never> => ({
  ok: false,
  failure: { kind: 'refused', status, error_type, message: 'said the broker' },
})
const refusalOf = async (reading: ReturnType<typeof read>) => {
  const outcome = await reading
  return outcome.ok ? outcome.data : outcome.refused.refusal
}

describe('reads of an account', () => {
  it('are asked with its own session, and of an account of that owner that is here', async () => {
    expect(await read()).toEqual({ ok: true, data: 'funds' })
    expect(asked).toMatchObject([{ key: 'api-a' }])
    expect(await refusalOf(read('b'))).toBe('not_owned')
    expect(await refusalOf(read('a', 'another desk'))).toBe('not_owned')
    owned = ownedAccount('a', { session: undefined })
    expect(await refusalOf(read())).toBe('session_inactive')
    expect(asked).toHaveLength(1)
  })

  it('each failure has its own name, and a dead session is said to be dead', async () => {
    const why = (said: KiteOutcome<never>) => {
      answer = said
      return read()
    }
    const words = 'InputException: said the broker'
    expect(await why(refused(400, 'InputException'))).toEqual({
      ...{ ok: false, refused: { refusal: 'broker_refused', detail: words } },
    })
    expect(await refusalOf(why({ ok: false, failure: { kind: 'timeout' } }))).toBe('broker_unreachable')
    const html: KiteOutcome<never> = { ok: false, failure: { kind: 'unreadable', status: 200 } }
    expect(await refusalOf(why(html))).toBe('broker_unreachable')
    expect(dead).toEqual([])
    expect(await refusalOf(why(refused(403, 'TokenException')))).toBe('session_inactive')
    expect(dead).toEqual(['a 1'])
    expect(await refusalOf(why(refused(429, 'NetworkException')))).toBe('budget_exhausted')
  })

  it('stay within their share of the broker’s second, and what the order path reads comes off it', async () => {
    for (let order = 0; order < 4; order++) governor.spend('a')
    const reading = Promise.all(Array.from({ length: 8 }, () => read()))
    await clock.advance(TURN_WITHIN_MS)
    expect((await reading).every(({ ok }) => ok)).toBe(true)
    const startedMs = asked[0]?.atMs ?? 0
    expect(asked.filter(({ atMs }) => atMs === startedMs)).toHaveLength(ACCOUNT_READS_PER_SECOND_MAX - 4)
    for (const { atMs } of asked) {
      const within = asked.filter((other) => other.atMs >= atMs && other.atMs - atMs < 1_000)
      expect(within.length).toBeLessThanOrEqual(ACCOUNT_READS_PER_SECOND_MAX)
    }
  })

  it('one that has no turn in time, or finds too many waiting, is told so and asks nothing', async () => {
    for (let order = 0; order < ACCOUNT_READS_PER_SECOND_MAX; order++) governor.spend('a')
    const keepBusy = () => {
      for (let order = 0; order < ACCOUNT_READS_PER_SECOND_MAX; order++) governor.spend('a')
    }
    const waiting = Array.from({ length: WAITING_PER_ACCOUNT_MAX }, () => refusalOf(read()))
    expect(await refusalOf(read())).toBe('budget_exhausted')
    for (let ms = 0; ms < TURN_WITHIN_MS; ms += 500) {
      keepBusy()
      await clock.advance(500)
    }
    expect(await Promise.all(waiting)).toEqual(Array(WAITING_PER_ACCOUNT_MAX).fill('budget_exhausted'))
    expect(asked).toEqual([])
  })

  it('one that waited while its account logged out asks nothing', async () => {
    for (let order = 0; order < ACCOUNT_READS_PER_SECOND_MAX; order++) governor.spend('a')
    const reading = refusalOf(read())
    owned = ownedAccount('a', { session: undefined })
    await clock.advance(TURN_WITHIN_MS)
    expect([await reading, asked.length]).toEqual(['session_inactive', 0])
  })

  it('are counted by what came of them', async () => {
    await read()
    await read('b')
    const text = await registry.metrics()
    expect(text).toContain('ticker_account_requests_total{read="funds",outcome="answered"} 1')
    expect(text).toContain('ticker_account_requests_total{read="funds",outcome="not_owned"} 1')
  })
})
