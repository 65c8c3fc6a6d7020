import { modifyOrder } from '@ticker/shared/domain'
import { readEnvelope } from '@ticker/shared/kite-http'
import { describe, expect, it, test } from 'vitest'
import { brokerRow } from '../testing/order-path.ts'
import { cancelRequest, modifyRequest } from './change-request.ts'
import { changeVerdictOf } from './change-verdict.ts'
import { modifiedAsAsked } from './modified-as-asked.ts'

const asked = (fields: Record<string, unknown>) => modifyOrder.parse(fields)

describe('the request of a change', () => {
  const order = brokerRow({ order_id: '2042130686722629633', variety: 'amo' })
  it('names the order by variety and id, and states only what changes', () => {
    expect(cancelRequest(order)).toEqual({ method: 'DELETE', path: '/orders/amo/2042130686722629633' })
    const { method, path, form } = modifyRequest(order, asked({ trigger_price: 10.5, validity: 'IOC' }))
    expect([method, path, String(form)]).toEqual([
      'PUT',
      '/orders/amo/2042130686722629633',
      'trigger_price=10.5&validity=IOC',
    ])
  })
  it('protects what becomes a market order', () => {
    const form = modifyRequest(order, asked({ order_type: 'SL-M', trigger_price: 5 })).form
    expect(String(form)).toBe('order_type=SL-M&trigger_price=5&market_protection=-1')
  })
})

describe('what the broker’s answer to a change means', () => {
  const answer = (status: number, error_type: string, message: string) =>
    changeVerdictOf({
      kind: 'answered',
      outcome: readEnvelope(status, JSON.stringify({ status: 'error', error_type, message })),
    }).state
  test.each([
    [400, 'OrderException', 'Order cannot be cancelled as it is in COMPLETE state.', 'REJECTED'],
    [400, 'OrderException', 'Order cannot be modified as it is in VALIDATION PENDING state.', 'REJECTED'],
    [400, 'OrderException', 'Maximum allowed order modifications exceeded.', 'REJECTED'],
    [404, 'GeneralException', "Couldn't find that `order_id`.", 'REJECTED'],
    [428, 'HoldingException', 'Authorise', 'REJECTED'],
    [400, 'OrderException', 'Order request timed out. Please check the order book.', 'UNKNOWN'],
    [400, 'OrderException', 'Something new', 'UNKNOWN'],
    [502, 'OrderException', 'Order cannot be cancelled right now', 'UNKNOWN'],
    [500, 'GeneralException', '', 'UNKNOWN'],
    [429, 'NetworkException', 'Too many requests', 'QUEUED'],
    [403, 'TokenException', 'Incorrect `api_key` or `access_token`.', 'QUEUED_SESSION_DEAD'],
    [403, 'PermissionException', 'IP not allowed', 'REJECTED_AND_GATE'],
  ])('%s %s %s → %s', (status, type, message, state) => expect(answer(status, type, message)).toBe(state))

  it('success without an order id, and no answer, are doubt', () => {
    const outcome = readEnvelope(200, '{"status":"success","data":true}')
    expect(changeVerdictOf({ kind: 'answered', outcome }).state).toBe('UNKNOWN')
    expect(changeVerdictOf({ kind: 'no_answer', reason: 'timeout' }).state).toBe('UNKNOWN')
    expect(changeVerdictOf({ kind: 'not_sent', reason: 'x' }).state).toBe('QUEUED')
  })
})

describe('whether an order shows what a modify asked for', () => {
  const order = brokerRow({
    order_id: '1',
    quantity: 10,
    price: '99.95',
    order_type: 'LIMIT',
    validity: 'DAY',
  })
  test.each([
    [{ price: 99.95 }, true],
    [{ price: 99.95, quantity: 10 }, true],
    [{ price: 99.95, quantity: 11 }, false],
    [{ trigger_price: 5 }, false],
    [{ validity: 'IOC' }, false],
    [{ order_type: 'LIMIT', price: 99.95 }, true],
    // Shown as a LIMIT at a price of the broker's: nothing to compare.
    [{ order_type: 'MARKET' }, undefined],
    [{ order_type: 'MARKET', quantity: 10 }, true],
  ])('%o → %s', (fields, shown) => expect(modifiedAsAsked(order, asked(fields))).toBe(shown))
})

describe('what may be asked of a modify', () => {
  test.each([
    [{}, 'state what changes'],
    [{ market_protection: 2 }, 'only with order_type'],
    [{ order_type: 'MARKET', market_protection: 0 }, 'the broker refuses 0'],
    [{ order_type: 'MARKET', price: 5 }, 'not allowed for order_type MARKET'],
    [{ order_type: 'LIMIT', trigger_price: 5 }, 'not allowed for order_type LIMIT'],
    [{ quantity: 1, disclosed_quantity: 2 }, 'at most the quantity'],
    [{ product: 'MIS' }, 'Unrecognized key'],
  ])('%o is refused: %s', (fields, words) => {
    const parsed = modifyOrder.safeParse(fields)
    expect(parsed.error?.issues.map((issue) => issue.message).join()).toContain(words)
  })
})
