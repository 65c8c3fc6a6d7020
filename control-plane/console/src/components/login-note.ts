import type { Account } from '../api/types.ts'

const SOON_MS = 30 * 60_000

/** What to remind the person at the desk of, or undefined. */
export function loginNote(accounts: readonly Account[], nowMs: number): string | undefined {
  const used = accounts.filter(({ status }) => status === 'active')
  const out = used.filter(({ session }) => session.status !== 'active').map(({ id }) => id)
  const ending = used
    .filter(({ session }) => session.status === 'active' && endsWithin(session.expires_at, nowMs))
    .map(({ id }) => id)
  const notes = [
    out.length > 0 ? `Not logged in: ${out.join(', ')}. They neither stream nor trade.` : '',
    ending.length > 0 ? `The session ends soon: ${ending.join(', ')}. Log in again after 06:00 IST.` : '',
  ]
  return notes.filter(Boolean).join(' ') || undefined
}

function endsWithin(expiresAt: string | null, nowMs: number): boolean {
  return expiresAt !== null && Date.parse(expiresAt) - nowMs <= SOON_MS
}
