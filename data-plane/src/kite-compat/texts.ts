// The text errors of the Kite-compatible socket. The first is the broker's own, word for word.
import type { InterestRefusal } from '../market-data/interest/held.ts'

export const TOO_MANY = (max: number) => `Can't subscribe to more than ${max} instruments.`
export const SERVICE_FULL = (count: number) =>
  `${count} instruments are not subscribed: all clients together hold as many as the service can.`
export const STALE = 'Ticks are stale: the connection to the broker is down or its session has ended.'

const WHY: Record<InterestRefusal, string> = {
  unknown_instrument: 'they are not in the instrument list of today',
  no_account: 'their owner has no active account',
  elsewhere: 'another instance serves the accounts: connect again with a new token',
  no_session: 'no account of their owner is logged in',
  no_capacity: 'the accounts of their owner stream as many instruments as they can',
}

export function notStreamed(reason: InterestRefusal, tokens: readonly number[]): string {
  const named = `${tokens.slice(0, 5).join(', ')}${tokens.length > 5 ? ', …' : ''}`
  const text = `${tokens.length} instruments (${named}) are not subscribed: ${WHY[reason]}.`
  return `${text} Their ticks start by themselves when that is over.`
}
