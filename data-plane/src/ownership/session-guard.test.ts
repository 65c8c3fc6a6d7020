import type { KiteOutcome } from '@ticker/shared/kite-http'
import { Registry } from 'prom-client'
import { beforeEach, expect, it } from 'vitest'
import { silentLog } from '../operations/log.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { ownedAccount } from '../testing/owned-accounts.ts'
import { createSessionGuard, type SessionGuard } from './session-guard.ts'

const alive: KiteOutcome<unknown> = { ok: true, data: {} }
const dead: KiteOutcome<unknown> = {
  ok: false,
  failure: { kind: 'refused', status: 403, error_type: 'TokenException', message: 'Incorrect access_token' },
}
const unclear: KiteOutcome<unknown> = { ok: false, failure: { kind: 'timeout' } }

let clock: FakeClock
let guard: SessionGuard
let profile: KiteOutcome<unknown>
let said: string[]
let account = ownedAccount('desk1')
let stop: AbortController

beforeEach(() => {
  clock = fakeClock()
  account = ownedAccount('desk1')
  said = []
  stop = new AbortController()
  guard = createSessionGuard({
    clock,
    random: () => 0.5,
    log: silentLog,
    registry: new Registry(),
    account: () => account,
    readProfile: async () => {
      said.push('read')
      return profile
    },
    onSocketRefused: async (_, version) => void said.push(`refused ${version}`),
    onDead: async (_, version) => void said.push(`dead ${version}`),
    retry: () => void said.push('retry'),
  })
  void guard.run(stop.signal)
})
const version = () => account.session?.version ?? 0

it('a refused socket whose session is dead marks that version dead, and is not tried again', async () => {
  profile = dead
  guard.refused(account.accountId, version())
  await clock.advance(300_000)
  expect(said).toEqual(['read', `dead ${version()}`])
})

it('a refused socket whose session lives is tried again after a minute', async () => {
  profile = alive
  guard.refused(account.accountId, version())
  await clock.advance(59_000)
  expect(said).toEqual(['read', 'refused 1'])
  await clock.advance(2_000)
  expect(said).toEqual(['read', 'refused 1', 'read', 'refused 1', 'retry'])
  await clock.advance(300_000)
  expect(said).toHaveLength(5)
})

it('while the broker does not answer, it asks once a minute and neither gives up nor retries', async () => {
  profile = unclear
  guard.refused(account.accountId, version())
  await clock.advance(180_000)
  expect(said).toEqual(['read', 'read', 'read', 'read'])
  profile = alive
  await clock.advance(60_000)
  expect(said.at(-1)).toBe('retry')
})

it('a newer login ends it', async () => {
  profile = unclear
  guard.refused(account.accountId, version())
  await clock.advance(1)
  account = ownedAccount('desk1', { session: account.session && { ...account.session, version: 99 } })
  await clock.advance(300_000)
  expect(said).toEqual(['read'])
  stop.abort()
})
