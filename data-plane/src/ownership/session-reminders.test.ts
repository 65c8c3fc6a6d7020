import { nextTokenExpiryMs } from '@ticker/shared/domain'
import { createMarketCalendar } from '@ticker/shared/market-calendar'
import { Registry } from 'prom-client'
import { beforeEach, expect, it } from 'vitest'
import { loginHours } from '../market-data/market-hours.ts'
import { silentLog } from '../operations/log.ts'
import { type FakeClock, fakeClock } from '../testing/fake-clock.ts'
import { brokerSession, observedAccount, ownedAccount } from '../testing/owned-accounts.ts'
import type { OwnershipView } from './ownership.ts'
import { createSessionReminders } from './session-reminders.ts'

const IST_MS = 330 * 60_000
const MINUTE_MS = 60_000
const WEDNESDAY = Date.UTC(2026, 10, 25)
/** Guru Nanak's birthday. */
const HOLIDAY = Date.UTC(2026, 10, 24)
const SATURDAY = Date.UTC(2026, 10, 28)

let clock: FakeClock
let registry: Registry
let accounts: OwnershipView['accounts']
let said: string[]
let look: () => void
let tradesCommodities: boolean
const istTime = () => new Date(clock.nowMs() + IST_MS).toISOString().slice(11, 16)

/** Starts at 05:00 IST of that day, logged in since yesterday. */
function startOn(day: number) {
  clock = fakeClock(day + 5 * 3_600_000 - IST_MS)
  registry = new Registry()
  said = []
  logIn(1)
  tradesCommodities = false
  const login = loginHours('calendar', createMarketCalendar(), clock)
  const reminders = createSessionReminders({
    clock,
    log: silentLog,
    registry,
    accounts: () => accounts,
    isLoginWanted: () => login.isWanted(() => tradesCommodities),
    isTradingDay: () => login.isTradingDay(() => tradesCommodities),
    emit: ({ event_type }) => said.push(`${istTime()} ${event_type}`),
  })
  look = () => reminders.look(accounts)
}
function logIn(version: number) {
  const session = { ...brokerSession(version), expiresAtMs: nextTokenExpiryMs(clock.nowMs()) }
  accounts = [{ ...ownedAccount('desk1', { session }), observed: observedAccount('desk1') }]
}
function setAccount(observed: Parameters<typeof observedAccount>[1]) {
  accounts = [
    { ...ownedAccount('desk1', { session: undefined }), observed: observedAccount('desk1', observed) },
  ]
}
/** Looks once a minute up to that IST time, as the ownership pass does; the session ends by the clock. */
function until(time: string) {
  while (istTime() !== time) {
    clock.jumpWall(MINUTE_MS)
    const [account] = accounts
    if (account?.session && account.session.expiresAtMs <= clock.nowMs()) setAccount({ session_live: false })
    look()
  }
}
const expiresAt = async () =>
  (await registry.getSingleMetric('ticker_session_expires_timestamp_seconds')?.get())?.values

beforeEach(() => startOn(WEDNESDAY))

it('a morning: said twice before 06:00, at 06:00, every half hour until the login, and not after it', async () => {
  expect(await expiresAt()).toMatchObject([
    { labels: { account: 'desk1' }, value: (WEDNESDAY + 30 * MINUTE_MS) / 1000 },
  ])
  until('06:40')
  expect(said).toEqual([
    '05:30 session_expiring',
    '05:55 session_expiring',
    '06:00 login_needed',
    '06:30 login_needed',
  ])
  expect(await expiresAt()).toMatchObject([{ value: 0 }])
  logIn(2)
  until('05:00')
  expect(said).toHaveLength(4)
  until('05:30')
  expect(said.slice(4)).toEqual(['05:30 session_expiring'])
})

it('a login before 06:00 lives no longer: its own end is said', () => {
  until('05:57')
  logIn(2)
  until('05:58')
  expect(said.slice(2)).toEqual(['05:58 session_expiring'])
})

it('a process that starts late says what is left once', () => {
  clock.jumpWall(58 * MINUTE_MS)
  look()
  look()
  expect(said).toEqual(['05:58 session_expiring'])
})

it('asks for no login after the close, nor on a day without trading', () => {
  setAccount({ session_live: false })
  until('23:00')
  expect(said.at(-1)).toBe('15:00 login_needed')
  for (const day of [HOLIDAY, SATURDAY]) {
    startOn(day)
    until('23:00')
    expect(said).toEqual([])
  }
})

it('a desk of commodities is asked until their close, and on the evening of a holiday', () => {
  tradesCommodities = true
  setAccount({ session_live: false })
  until('23:58')
  expect(said.at(-1)).toBe('23:30 login_needed')
  startOn(HOLIDAY)
  tradesCommodities = true
  until('23:58')
  expect(said.slice(0, 4)).toEqual([
    ...['05:30 session_expiring', '05:55 session_expiring'],
    ...['13:30 login_needed', '14:00 login_needed'],
  ])
  startOn(SATURDAY)
  tradesCommodities = true
  until('23:58')
  expect(said).toEqual([])
})

it('asks for none of a disabled account, nor where a session lives that these keys cannot open', async () => {
  setAccount({ active: false, session_live: false })
  until('09:00')
  expect(await expiresAt()).toEqual([])
  setAccount({ session_live: true })
  until('10:00')
  expect(said).toEqual([])
})
