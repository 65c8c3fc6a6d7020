import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { createReadGovernor } from '../broker-reads/governor.ts'
import type { OwnedAccount } from '../ownership/owned-account.ts'
import { fakeClock } from '../testing/fake-clock.ts'
import { ownedAccount } from '../testing/owned-accounts.ts'
import { type Candles, fetchCandles } from './fetch-candles.ts'

const OK = '{"status":"success","data":{"candles":[]}}'
const error = (status: number, type: string, message = 'words') =>
  new Response(JSON.stringify({ status: 'error', message, error_type: type, data: null }), { status })

/** Answers in order, and who was asked. */
async function fetching(answers: (() => Response)[], accounts: OwnedAccount[] = [ownedAccount('a')]) {
  const clock = fakeClock()
  const registry = new Registry()
  const asked: string[] = []
  const dead: string[] = []
  let calls = 0
  let outcome: Candles | undefined
  const fetched = fetchCandles(
    {
      clock,
      governor: createReadGovernor({ clock, registry, name: 'history', perSecondMax: 3 }),
      kite: {
        root: 'http://broker',
        timeoutMs: 1_000_000,
        fetch: async (_url, init) => {
          asked.push(new Headers(init?.headers).get('authorization') ?? '')
          const answer = answers.shift()
          if (!answer) throw new Error('asked too often')
          return answer()
        },
      },
      onSessionDead: async (accountId) => void dead.push(accountId),
    },
    {
      series: {
        ...{ id: 1, exchange: 'NSE', tradingsymbol: 'INFY', instrument_token: 408065 },
        ...{ interval: '1m', continuous: false },
      },
      ...{ fromDay: '2026-11-20', toDay: '2026-11-20', priority: 'user' },
      accounts: () => accounts,
      onCall: () => {
        calls += 1
      },
    },
    new AbortController().signal,
  ).then((value) => {
    outcome = value
  })
  // Answers need real turns of the loop, waits the clock's.
  while (!outcome) {
    await clock.advance(250)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await fetched
  return { outcome, asked, dead, calls, metrics: await registry.metrics() }
}

test('too many: the account rests, and is asked again', async () => {
  const { outcome, calls, metrics } = await fetching([
    () => error(429, 'NetworkException', 'Too many requests'),
    () => new Response(OK),
  ])
  expect([outcome?.ok, calls]).toEqual([true, 2])
  expect(metrics).toContain('ticker_history_reads_429_total{account="a"} 1')
})

test('a dead session is told, and another account asked', async () => {
  const { outcome, asked, dead } = await fetching(
    [() => error(403, 'TokenException'), () => new Response(OK)],
    [ownedAccount('a'), ownedAccount('b')],
  )
  expect([outcome?.ok, dead]).toEqual([true, ['a']])
  expect(asked[1]).toContain('api-b')
})

test('an app without history leaves it to another; when none has it, that is what is said', async () => {
  const accounts = [ownedAccount('a'), ownedAccount('b')]
  const permission = () => error(403, 'PermissionException', 'Insufficient permission for that call.')
  expect((await fetching([permission, () => new Response(OK)], accounts)).outcome?.ok).toBe(true)
  expect((await fetching([permission, permission], accounts)).outcome).toEqual({
    ok: false,
    failure: {
      code: 'broker_refused',
      detail: 'PermissionException: Insufficient permission for that call.',
    },
  })
})

test('what is wrong with the request is not asked twice', async () => {
  const { outcome, calls } = await fetching([() => error(400, 'InputException', 'invalid token')])
  expect([outcome, calls]).toEqual([
    { ok: false, failure: { code: 'broker_refused', detail: 'InputException: invalid token' } },
    1,
  ])
})

test('trouble at the broker is tried again, five times in all', async () => {
  const trouble = () => new Response('<html>', { status: 502 })
  expect((await fetching([trouble, trouble, () => new Response(OK)])).outcome?.ok).toBe(true)
  const { outcome, calls } = await fetching(Array(5).fill(trouble))
  expect([outcome, calls]).toMatchObject([{ ok: false, failure: { code: 'broker_unreachable' } }, 5])
})

test('without an account there is nobody to ask, and no word of refusal', async () => {
  expect((await fetching([], [])).outcome).toEqual({ ok: false, failure: undefined })
})
