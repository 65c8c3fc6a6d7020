import { expect, it } from 'vitest'
import { brokerSession, observedAccount, ownedAccount } from '../testing/owned-accounts.ts'
import { createAccountEvents } from './account-events.ts'

function setUp() {
  let [woken, dropped] = [0, 0]
  const events = createAccountEvents({
    clock: { nowMs: () => 5 },
    onDropped: () => {
      dropped += 1
    },
    onEvent: () => {
      woken += 1
    },
  })
  const all = () => {
    const types: string[] = []
    for (let event = events.next(); event; event = events.next()) {
      types.push(`${event.category} ${event.type} ${event.accountId}`)
      events.stored(event)
    }
    return types
  }
  return { events, all, woken: () => woken, dropped: () => dropped }
}
const account = (isIn: boolean, gate: string | null = null) => ({
  ...ownedAccount('desk1', { session: isIn ? { ...brokerSession(1), expiresAtMs: 1_000 } : undefined }),
  observed: observedAccount('desk1', { order_gate_reason: gate, session_live: isIn }),
})

it('tells of a trading state that changes, with the reason', () => {
  const { events } = setUp()
  const halted = { trading_state: 'HALTED', trading_state_reason: 'lunch' } as const
  events.look([account(true)])
  events.look([{ ...account(true), observed: observedAccount('desk1', { ...halted, session_live: true }) }])
  expect(events.next()).toMatchObject({
    category: 'risk',
    type: 'risk.trading_state_changed',
    data: { state: 'HALTED', reason: 'lunch' },
  })
})

it('tells of a session that begins or ends and of the order gate, not of what it finds at the start', () => {
  const { events, all, woken } = setUp()
  events.look([account(false)])
  expect([all(), woken()]).toEqual([[], 0])
  events.look([account(true)])
  events.look([account(true)])
  expect([all(), woken()]).toEqual([['sessions session.active desk1'], 1])
  events.look([account(true, 'IP not registered')])
  expect(events.next()?.data).toEqual({ reason: 'IP not registered' })
  events.look([account(false, null)])
  expect(all()).toEqual([
    'risk risk.order_gate_closed desk1',
    'sessions session.ended desk1',
    'risk risk.order_gate_opened desk1',
  ])
  // It lives, and could not be read just now.
  events.look([account(true)])
  events.look([{ ...account(false), observed: observedAccount('desk1') }])
  events.look([account(true)])
  expect(all()).toEqual(['sessions session.active desk1'])
  // Somebody else had it meanwhile.
  events.look([])
  events.look([account(true)])
  expect(all()).toEqual([])
})

it('reminders are told as they are said; what waits too long is dropped from its end, and counted', () => {
  const { events, all, dropped } = setUp()
  events.remind({ event_type: 'session_expiring', account_id: 'desk1', expires_at_ms: 0 })
  expect(events.next()).toMatchObject({
    type: 'session.expiring',
    data: { expires_at: '1970-01-01T00:00:00.000Z' },
  })
  for (let n = 0; n < 1_000; n += 1) events.remind({ event_type: 'login_needed', account_id: `a${n}` })
  expect(all()).toHaveLength(1_000)
  expect(dropped()).toBe(1)
})
