import { Secret } from '@ticker/shared/crypto'
import { Registry } from 'prom-client'
import { expect, it } from 'vitest'
import { silentLog } from '../operations/log.ts'
import { fakeClock } from '../testing/fake-clock.ts'
import { observedAccount } from '../testing/owned-accounts.ts'
import type { Observation, ObservedAccount } from './instance-store.ts'
import { createLeaseClock } from './lease-clock.ts'
import { createOwnership, type InstanceStore, type OwnershipView } from './ownership.ts'

const account = observedAccount('desk1')

function setup() {
  const clock = fakeClock()
  const state = {
    accounts: [] as ObservedAccount[],
    unowned: true,
    leaseLost: false,
    databaseDown: false,
    epochs: 0,
    sessionReads: 0,
    unreadableVersion: 0,
  }
  const observation = (): Observation => ({
    subscriptions_version: 0,
    instruments_version: 0,
    accounts_version: 0,
    calendar_version: 0,
    unowned_accounts: state.unowned,
    accounts: state.accounts,
  })
  const guarded = <T>(answer: () => T) =>
    state.databaseDown ? Promise.reject(new Error('ECONNREFUSED')) : Promise.resolve().then(answer)
  const store: InstanceStore = {
    register: () => guarded(() => ++state.epochs),
    renewAndObserve: () =>
      guarded(() => {
        if (!state.leaseLost) return observation()
        state.leaseLost = false
        return undefined
      }),
    claimAccounts: () =>
      guarded(() => {
        state.unowned = false
        state.accounts = [account]
        return ['desk1']
      }),
    release: () => guarded(() => undefined),
    readSession: (_, version) =>
      guarded(() => {
        state.sessionReads += 1
        if (version === state.unreadableVersion) throw new Error('CREDENTIAL_KEYS has no key')
        return {
          version,
          brokerUserId: 'AB1234',
          accessToken: new Secret('t'),
          expiresAtMs: clock.nowMs() + 1e7,
        }
      }),
  }
  const views: OwnershipView[] = []
  const registry = new Registry()
  const ownership = createOwnership({
    store,
    clock,
    log: silentLog,
    registry,
    onView: (view) => views.push(view),
  })
  const controller = new AbortController()
  const ended = ownership.run(controller.signal)
  const stop = () => {
    controller.abort()
    return ended
  }
  return { clock, state, ownership, views, stop }
}

it('registers, claims ownerless accounts and opens each session version once', async () => {
  const { clock, state, ownership, views, stop } = setup()
  await clock.advance(0)
  expect(views.at(-1)?.accounts.map((owned) => [owned.accountId, owned.session?.version])).toEqual([
    ['desk1', 1],
  ])
  await clock.advance(4_000)
  expect(state.sessionReads).toBe(1)
  state.accounts = [{ ...account, session_version: 2 }]
  ownership.wake()
  await clock.advance(0)
  expect(views.at(-1)?.accounts[0]?.session?.version).toBe(2)
  state.accounts = [{ ...account, session_version: 2, session_live: false }]
  await clock.advance(2_000)
  expect(views.at(-1)?.accounts[0]?.session).toBeUndefined()
  await stop()
})

it('takes a new epoch when its lease was lost', async () => {
  const { clock, state, views, stop } = setup()
  await clock.advance(0)
  state.leaseLost = true
  await clock.advance(2_000)
  await clock.advance(2_000)
  expect(views.at(-1)?.epoch).toBe(2)
  await stop()
})

it('stops acting 8 s after the last renewal without the database, and gives sockets up after 120 s', async () => {
  const { clock, state, ownership, views, stop } = setup()
  await clock.advance(0)
  expect(ownership.lease.mayAct()).toBe(true)
  state.databaseDown = true
  await clock.advance(7_999)
  expect(ownership.lease.mayAct()).toBe(true)
  await clock.advance(1)
  expect(ownership.lease.mayAct()).toBe(false)
  await clock.advance(100_000)
  expect(views.at(-1)?.accounts).toHaveLength(1)
  await clock.advance(20_000)
  expect(views.at(-1)?.accounts).toHaveLength(0)
  state.databaseDown = false
  await clock.advance(2_000)
  expect(views.at(-1)?.accounts).toHaveLength(1)
  expect(ownership.lastPassAgeMs()).toBeLessThan(2_001)
  await ownership.release()
  expect(ownership.lease.mayAct()).toBe(false)
  await stop()
})

it('does not act when either clock is past the deadline', () => {
  const clock = fakeClock()
  const lease = createLeaseClock(clock)
  expect(lease.mayAct()).toBe(false)
  lease.renewed(lease.read())
  expect(lease.mayAct()).toBe(true)
  clock.jumpWall(8_000)
  expect(lease.mayAct()).toBe(false)
})

it.each([3_000, -3_000])(
  'row 33: a wall clock that is moved by %i ms ends no lease early, and makes none longer',
  async (ms) => {
    const clock = fakeClock()
    const lease = createLeaseClock(clock)
    lease.renewed(lease.read())
    clock.jumpWall(ms)
    await clock.advance(4_900)
    expect(lease.mayAct()).toBe(true)
    await clock.advance(3_100)
    expect(lease.mayAct()).toBe(false)
  },
)

it('a reading taken under a lost lease is told apart from one under the next', () => {
  const lease = createLeaseClock(fakeClock())
  lease.renewed(lease.read())
  const asked = lease.read()
  lease.lost()
  lease.renewed(lease.read())
  expect(lease.mayAct()).toBe(true)
  expect(lease.read().generation).not.toBe(asked.generation)
})

it('one account whose session cannot be opened does not keep the others from being served', async () => {
  const { clock, state, ownership, views, stop } = setup()
  await clock.advance(0)
  state.accounts = [account, { ...account, account_id: 'sealed', session_version: 9 }]
  state.unreadableVersion = 9
  await clock.advance(2_000)
  const served = views.at(-1)?.accounts.map((owned) => [owned.accountId, owned.session !== undefined])
  expect(served).toEqual([
    ['desk1', true],
    ['sealed', false],
  ])
  expect(ownership.unopened()).toEqual(['sealed'])
  state.unreadableVersion = 0
  await clock.advance(2_000)
  expect(ownership.unopened()).toEqual([])
  await stop()
})
