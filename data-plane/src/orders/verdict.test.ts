import { readEnvelope } from '@ticker/shared/kite-http'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { verdictOf } from './verdict.ts'

const answer = (status: number, body: unknown) =>
  verdictOf({
    kind: 'answered',
    outcome: readEnvelope(status, typeof body === 'string' ? body : JSON.stringify(body)),
  })
const refusal = (status: number, error_type: string, message: string) =>
  answer(status, { status: 'error', error_type, message, data: null })

describe('verdictOf', () => {
  it('accepts only with an order id', () => {
    expect(answer(200, { status: 'success', data: { order_id: '2042130686722629633' } })).toEqual({
      state: 'ACCEPTED',
      orderIds: ['2042130686722629633'],
    })
    expect(answer(200, { status: 'success', data: {} }).state).toBe('UNKNOWN')
    expect(answer(200, '<html>maintenance</html>').state).toBe('UNKNOWN')
  })

  it.each([
    ['InputException', 'Invalid `quantity`.'],
    [
      'MarginException',
      'Insufficient funds. Required margin is 10 but available margin is 1. Check the orderbook for open orders.',
    ],
    [
      'OrderException',
      'Tick size for this script is 0.10. Kindly enter price in the multiple of tick size for this script',
    ],
    ['OrderException', 'Trigger price for stoploss buy orders should be higher than the last traded price'],
    [
      'OrderException',
      'Your order price is lower than the current lower circuit limit of 70.65. Place an order within the daily range.',
    ],
    ['OrderException', 'The instrument you are placing an order for has either expired or does not exist.'],
    [
      'OrderException',
      'Market orders without market protection are not allowed via API. Please set market protection or use a Limit order.',
    ],
  ])('rejects the listed refusal %s: %s', (type, text) => {
    expect(refusal(400, type, text)).toEqual({ state: 'REJECTED', code: 'broker_rejected', reason: text })
  })

  it.each([
    [
      400,
      'OrderException',
      'Order request timed out. Please check the order book and confirm before placing again.',
    ],
    [
      400,
      'InputException',
      'Order request timed out. Please check the order book and confirm before placing again.',
    ],
    [400, 'OrderException', 'Something new that nobody has listed'],
    [500, 'GeneralException', 'Something went wrong'],
    [502, 'NetworkException', 'OMS down'],
    [503, 'NetworkException', 'down'],
    [504, 'NetworkException', 'Gateway timed out'],
    [400, 'DataException', 'bad OMS response'],
    [403, 'NetworkException', 'timed out'],
    [403, 'NetworkException', 'Forbidden by the gateway'],
    [429, 'NetworkException', 'Order timed out'],
    [400, 'InputException', 'Order status unknown, please check the orderbook.'],
    [400, 'MarginException', 'Order may have been placed.'],
    [400, 'UserException', 'Something new'],
    [400, 'OrderException', 'is blocked pending; check order book'],
  ])('does not take %i %s for a rejection', (status, type, text) => {
    expect(refusal(status, type, text).state).toBe('UNKNOWN')
  })

  it('sends again only what was certainly not placed', () => {
    expect(verdictOf({ kind: 'not_sent', reason: 'ECONNREFUSED' })).toMatchObject({
      state: 'QUEUED',
      why: 'not_sent',
    })
    expect(refusal(429, 'NetworkException', 'Too many requests')).toMatchObject({
      state: 'QUEUED',
      why: 'rate_limited',
    })
    expect(refusal(403, 'TokenException', 'Incorrect `api_key` or `access_token`.').state).toBe(
      'QUEUED_SESSION_DEAD',
    )
    for (const reason of ['timeout', 'reset', 'too_large'] as const) {
      expect(verdictOf({ kind: 'no_answer', reason }).state).toBe('UNKNOWN')
    }
  })

  it('closes the gate on any other 403 with the broker’s words, and parks what needs authorisation', () => {
    expect(refusal(403, 'PermissionException', 'IP not registered')).toEqual({
      state: 'REJECTED_AND_GATE',
      code: 'broker_forbidden',
      reason: 'IP not registered',
    })
    const authorise = refusal(428, 'HoldingException', 'Holdings are not authorised.')
    expect(authorise.state).toBe('NEEDS_AUTHORISATION')
    expect(authorise).toMatchObject({
      reason: expect.stringMatching(/^Holdings are not authorised\. .*17:30 IST/),
    })
  })

  it('never answers REJECTED or QUEUED to a 5xx, whatever it says', () => {
    fc.assert(
      fc.property(fc.integer({ min: 500, max: 599 }), fc.string(), fc.string(), (status, type, text) => {
        expect(refusal(status, type, text).state).toBe('UNKNOWN')
        expect(answer(status, text).state).toBe('UNKNOWN')
      }),
    )
  })
})
