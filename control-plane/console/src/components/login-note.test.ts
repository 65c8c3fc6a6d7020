import { expect, it } from 'vitest'
import type { Account } from '../api/types.ts'
import { loginNote } from './login-note.ts'

const NOW_MS = Date.UTC(2026, 10, 24, 0, 25)

function account(
  id: string,
  session: Partial<Account['session']>,
  status: Account['status'] = 'active',
): Account {
  const none = { user_name: null, expires_at: null, reason: null, market_data_reason: null }
  return {
    ...{ id, name: id, broker_user_id: null, status, order_gate_reason: null, owner_instance_id: null },
    ...{ market_data: true, trading: true, paper: false, egress_group: 'default' },
    session: { status: 'none', ...none, ...session },
  }
}
const until = (expires_at: string) => ({ status: 'active', expires_at }) as const

it('names who is not logged in and whose session ends soon, and nobody else', () => {
  const note = loginNote(
    [
      account('ending', until('2026-11-24T00:30:00.000Z')),
      account('fine', until('2026-11-25T00:30:00.000Z')),
      account('out', { status: 'expired' }),
      account('off', {}, 'disabled'),
    ],
    NOW_MS,
  )
  expect(note).toContain('Not logged in: out.')
  expect(note).toContain('ends soon: ending.')
  expect(note).not.toMatch(/fine|off/)
})

it('says nothing while all are logged in for the day', () => {
  expect(loginNote([account('fine', until('2026-11-25T00:30:00.000Z'))], NOW_MS)).toBeUndefined()
})
